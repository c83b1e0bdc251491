# in words.c: the room is believed to be larger than it is
s/rbr_writer_start(ret_words->text, sizeof ret_words->text)/rbr_writer_start(ret_words->text, 2 * sizeof ret_words->text)/
