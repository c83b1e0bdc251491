# in callback.c: the room is believed to be larger than it is, and a parameter without a value takes some
s/rbr_writer_start(ret_callback->text, sizeof ret_callback->text)/rbr_writer_start(ret_callback->text, 8 * sizeof ret_callback->text)/
s/^\trbr_writer_back(to, begun);/\t(void)begun;/
s/^\t\trbr_writer_back(to, begun);/\t\t(void)begun;/
