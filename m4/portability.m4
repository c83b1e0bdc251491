# SPDX-License-Identifier: MIT
# RBR_WIDE_TIME: a time_t of 64 bits. AC_SYS_YEAR2038 does the same from autoconf 2.72 on.
AC_DEFUN([RBR_WIDE_TIME], [
  AC_MSG_CHECKING([for a time_t of 64 bits])
  rbr_saved_CPPFLAGS=$CPPFLAGS
  rbr_wide=no
  for rbr_define in '' '-D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64'; do
    CPPFLAGS="$rbr_saved_CPPFLAGS $rbr_define"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <time.h>
typedef char time_is_wide[sizeof(time_t) >= 8 ? 1 : -1];]], [])], [rbr_wide=yes; break])
  done
  CPPFLAGS=$rbr_saved_CPPFLAGS
  AS_IF([test "x$rbr_wide" = xno],
    [AC_MSG_RESULT([no]); AC_MSG_ERROR([time_t ends in 2038 here: a C library with 64 bits for it is needed (glibc 2.34 or musl 1.2)])])
  AC_MSG_RESULT([yes${rbr_define:+, with $rbr_define}])
  TIME_CPPFLAGS=$rbr_define
  AC_SUBST([TIME_CPPFLAGS])
])
