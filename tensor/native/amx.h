// 3×3 and transposed convolutions in bfloat16 by the matrix unit (AMX) of recent Intel processors.
#pragma once
#include "conv.h"

namespace nextslice {

// amx_ready reports whether this build, processor and system have the unit and bfloat16, and asks the system for its registers.
bool amx_ready();

// amx_fits reports whether a 3×3 or a transposed convolution between so many channels can be carried out by the unit.
inline bool amx_fits(const ns_engine* e, int in, int out) { return e->amx && in % 8 == 0 && out % 8 == 0; }

// amx computes what `winograd` does, of inputs and weights rounded to bfloat16 and summed in float32.
void amx(ns_engine* e, const Convolution& c);

// amx_weights computes what `winograd_weights` does, of inputs and gradients rounded likewise; db is that of float32.
void amx_weights(ns_engine* e, const ns_shape& s, const float* px, int o, float* dw, float* db, const float* dy, const ns_mask& mask);

// amx_up and the two behind it compute what ns_up and its gradients do; amx_up leaves out what lies beyond twice the input's size.
void amx_up(ns_engine* e, const ns_shape& s, const ns_shape& ys, float* y, const float* px, const float* w, const float* b);
void amx_up_data(ns_engine* e, const ns_shape& s, const ns_shape& ys, float* dx, const float* dy, const float* w);
void amx_up_weights(ns_engine* e, const ns_shape& s, const ns_shape& ys, float* dw, float* db, const float* dy, const float* px);

}  // namespace nextslice
