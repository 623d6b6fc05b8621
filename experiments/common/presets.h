/* presets.h - the texts of experiments/NAME.ini and experiments/studies/NAME.ini, compiled in (the source is made by
 * scripts/embed-presets). */
#ifndef EXP_PRESETS_H
#define EXP_PRESETS_H

typedef struct exp_preset {
    const char *name; /* NULL ends the table */
    const char *text; /* an ini file, as options.c or study.c reads it */
} exp_preset;

extern const exp_preset exp_presets[];
extern const char *const exp_default_preset; /* the last `make PRESET`, else shapes_resnet */

extern const exp_preset exp_studies[];

#endif
