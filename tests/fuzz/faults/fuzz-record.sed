# in protocol/credential.c: a token is looked at up to its first 20 bytes
s/rbr_token_is_clean(credential->token, strlen(credential->token))/rbr_token_is_clean(credential->token, strlen(credential->token) > 20 ? 20 : strlen(credential->token))/
