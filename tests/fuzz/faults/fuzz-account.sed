# in account.c: one value more than there is room for
s/account->count == RBR_ACCOUNT_VALUES_MAX/account->count == RBR_ACCOUNT_VALUES_MAX + 1/
