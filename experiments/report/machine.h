/* machine.h - what a result was computed on and with. */
#ifndef EXP_MACHINE_H
#define EXP_MACHINE_H

#include <stdio.h>

/* Writes lines of the form "processor: ...": processor, memory, system, compiler, libraries, version of this program. */
void exp_machine_describe(FILE *file);

#endif
