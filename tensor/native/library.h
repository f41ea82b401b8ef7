// Library: convolutions of someone else's, for comparison with this package's.
#pragma once
#include <memory>

#include "shim.h"

struct ns_engine;

namespace nextslice {

class Library {
 public:
  virtual ~Library() = default;
  virtual const char* name() const = 0;  // with its version

  // forward computes y = act(x*w + b) of x [n h w c] and o outputs; b may be nullptr. rotated: with the transpose of w,
  // rotated by 180°, so that the forward kernel computes the gradient of the data; then x has o channels and y has s.c.
  virtual void forward(ns_engine* e, const ns_shape& s, int o, int k, bool rotated, bool leaky, float slope, float* y,
                       int ystride, const float* x, const float* w, const float* b) = 0;
  virtual void backward_weights(ns_engine* e, const ns_shape& s, int o, int k, float* dw, float* db, const float* dy,
                                const float* x) = 0;
};

// new_library returns the library of builds with the tag onednn, nullptr in others.
std::unique_ptr<Library> new_library();

}  // namespace nextslice
