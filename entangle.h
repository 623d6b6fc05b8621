/* entangle.h - all of libentangle: the framework, the models and the data sets.
 *
 * Installed as <entangle/entangle.h>; docs/library.md introduces it. What this header includes is the library's interface. */
#ifndef ENTANGLE_H
#define ENTANGLE_H

#include "datasets/datasets.h"
#include "framework/framework.h"
#include "models/gan.h"
#include "models/models.h"

#endif
