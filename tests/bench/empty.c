/* SPDX-License-Identifier: MIT */
/* What a program costs that does nothing: the measure of all others. Built with the program's own flags. */

int
main(void)
{
	return 0;
}
