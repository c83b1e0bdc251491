# in unwrap.c: base64 at its third alignment is not looked at
s/{take_base64, 4, true}/{take_base64, 1, false}/
