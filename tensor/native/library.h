// Library: the same convolutions by oneDNN's primitives.
#pragma once
#include <memory>

#include "shim.h"

struct ns_engine;

namespace nextslice {

// Library runs oneDNN with plain channels-last activations and weights in whatever layout its kernels like best
// (reordered once per call). Each primitive is made for one item and one thread and kept; the items of a mini-batch
// are shared out over the engine's own team, because the library's threads wait in spinning barriers. Compiles
// against version 2 (Debian 12) and version 3. Failures throw dnnl::error.
class Library {
 public:
  Library();
  ~Library();
  // forward computes y = act(x*w + b); b may be nullptr. rotated: use wᵀ rotated by 180°, so that the forward kernel
  // computes the gradient of the data (the library's own data gradient is its slowest kernel on these shapes); then
  // x has o channels and y has s.c.
  void forward(ns_engine* e, const ns_shape& s, int o, int k, bool rotated, bool leaky, float slope, float* y,
               int ystride, const float* x, const float* w, const float* b);
  void backward_weights(ns_engine* e, const ns_shape& s, int o, int k, float* dw, float* db, const float* dy,
                        const float* x);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nextslice
