# in stores/file/file.c: the first part is not looked at when the second is wanted
s/	if (state == RBR_SEAL_SOUND)$/	state = RBR_SEAL_SOUND;\n	if (state == RBR_SEAL_SOUND)/
