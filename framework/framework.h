/* framework.h - the one header that models, data sets, experiments and tests include. */
#ifndef NN_FRAMEWORK_H
#define NN_FRAMEWORK_H

#include "api.h"
#include "checkpoint.h"
#include "error.h"
#include "file.h"
#include "graph.h"
#include "npy.h"
#include "npz.h"
#include "onnx/onnx.h"
#include "ops/ops.h"
#include "optimizer.h"
#include "plan.h"
#include "profile.h"
#include "random.h"
#include "safetensors.h"
#include "schedule.h"
#include "snnl/snnl.h"
#include "store.h"
#include "tensor.h"
#include "threads.h"
#include "version.h"
#include "weights.h"

#endif
