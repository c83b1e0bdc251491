# SPDX-License-Identifier: MIT
# Probes for compiler and linker flags. Each flag is tried alone, with warnings as errors, so that a
# compiler that merely ignores it does not get it.

# RBR_PROBE_CFLAG(VARIABLE, FLAG): append FLAG to VARIABLE if the compiler takes it.
AC_DEFUN([RBR_PROBE_CFLAG], [
  AC_MSG_CHECKING([whether $CC takes $2])
  rbr_saved_CFLAGS=$CFLAGS
  CFLAGS="$CFLAGS -Werror $2"
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
    [AC_MSG_RESULT([yes]); $1="$$1 $2"],
    [AC_MSG_RESULT([no])])
  CFLAGS=$rbr_saved_CFLAGS
])

# RBR_PROBE_LDFLAG(VARIABLE, FLAG): append FLAG to VARIABLE if the linker takes it.
AC_DEFUN([RBR_PROBE_LDFLAG], [
  AC_MSG_CHECKING([whether the linker takes $2])
  rbr_saved_LDFLAGS=$LDFLAGS
  LDFLAGS="$LDFLAGS $2"
  AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
    [AC_MSG_RESULT([yes]); $1="$$1 $2"],
    [AC_MSG_RESULT([no])])
  LDFLAGS=$rbr_saved_LDFLAGS
])

# RBR_PROBE_PIE: PIE_CFLAGS and PIE_LDFLAGS for programs (libtool adds -fPIC to shared objects itself).
AC_DEFUN([RBR_PROBE_PIE], [
  PIE_CFLAGS=
  PIE_LDFLAGS=
  RBR_PROBE_CFLAG([PIE_CFLAGS], [-fPIE])
  AS_IF([test "x$PIE_CFLAGS" != x], [RBR_PROBE_LDFLAG([PIE_LDFLAGS], [-fPIE -pie])])
  AC_SUBST([PIE_CFLAGS])
  AC_SUBST([PIE_LDFLAGS])
])

# RBR_PROBE_STATIC_FRONT: FRONT_CFLAGS and FRONT_LDFLAGS, static and position-independent where the C library comes that
# way, else those of RBR_PROBE_PIE. $enable_static_front: auto, yes or no. `-Wc,` hands the flag past libtool.
AC_DEFUN([RBR_PROBE_STATIC_FRONT], [
  FRONT_CFLAGS=$PIE_CFLAGS
  FRONT_LDFLAGS=$PIE_LDFLAGS
  AS_IF([test "x$enable_static_front" != xno], [
    rbr_static=
    RBR_PROBE_LDFLAG([rbr_static], [-static-pie])
    AS_IF([test "x$rbr_static" != x], [FRONT_LDFLAGS="-Wc,-static-pie"],
      [test "x$enable_static_front" = xyes], [AC_MSG_ERROR([--enable-static-front needs a static C library])])
  ])
  AC_SUBST([FRONT_CFLAGS])
  AC_SUBST([FRONT_LDFLAGS])
])

# RBR_PROBE_FORTIFY: _FORTIFY_SOURCE=3, else 2; nothing where the user's flags set it or do not optimize.
AC_DEFUN([RBR_PROBE_FORTIFY], [
  AC_MSG_CHECKING([for _FORTIFY_SOURCE])
  rbr_saved_CPPFLAGS=$CPPFLAGS
  rbr_saved_CFLAGS=$CFLAGS
  rbr_fortify=none
  for rbr_level in 3 2; do
    CPPFLAGS="$rbr_saved_CPPFLAGS -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$rbr_level"
    CFLAGS="$rbr_saved_CFLAGS -Werror"
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[
#include <string.h>
#if !defined __OPTIMIZE__
#error fortified functions need an optimizing compiler
#endif
#if defined __USE_FORTIFY_LEVEL && __USE_FORTIFY_LEVEL < $rbr_level
#error this C library knows no such level
#endif
]], [])], [rbr_fortify=$rbr_level; break])
  done
  CPPFLAGS=$rbr_saved_CPPFLAGS
  CFLAGS=$rbr_saved_CFLAGS
  AS_CASE([" $CPPFLAGS $CFLAGS "], [*-D_FORTIFY_SOURCE*], [rbr_fortify="the user's own"],
    [AS_IF([test "x$rbr_fortify" != xnone],
      [HARDEN_CFLAGS="$HARDEN_CFLAGS -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$rbr_fortify"])])
  AC_MSG_RESULT([$rbr_fortify])
])
