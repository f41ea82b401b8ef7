// The engine behind the C surface.
#pragma once
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "kernels.h"
#include "shim.h"
#include "team.h"

namespace nextslice {

// Buffer is scratch memory that only grows, aligned to pages.
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer(Buffer&& b) noexcept : data_(b.data_), size_(b.size_) { b.data_ = nullptr, b.size_ = 0; }
  ~Buffer() { release(); }
  // get returns room for n floats; earlier contents are lost when it grows.
  float* get(size_t n) {
    if (n > size_) {
      release();
      const size_t bytes = (n * sizeof(float) + kPageBytes - 1) / kPageBytes * kPageBytes;
      data_ = static_cast<float*>(::operator new(bytes, kAlignment));
      size_ = bytes / sizeof(float);
    }
    return data_;
  }

 private:
  static constexpr std::align_val_t kAlignment{kPageBytes};
  // release frees the memory, so that a failed allocation after it leaves an empty buffer.
  void release() {
    ::operator delete(data_, kAlignment);
    data_ = nullptr, size_ = 0;
  }
  float* data_ = nullptr;
  size_t size_ = 0;
};

class Library;

}  // namespace nextslice

struct ns_engine {
  ns_engine(int threads, const nextslice::Kernels& table, bool matrix_unit, int kernels);
  ~ns_engine();
  nextslice::Team team;
  const nextslice::Kernels& k;
  std::vector<nextslice::Buffer> local, copies, sums;  // per thread: scratch, a copy of weights, sums of gradients
  nextslice::Buffer weights, partial, masked;          // shared by the threads during one call
  std::vector<double> doubles;                         // likewise
  const bool amx;       // whether 3×3 and transposed convolutions go through the matrix unit
  const bool winograd;  // whether the 3×3 convolutions that it fits go through Winograd's transform
  std::unique_ptr<nextslice::Library> library;  // carries out the convolutions unless null
  std::string error;
};

// guarded runs f and turns an exception into the engine's error and a status.
template <typename F>
int guarded(ns_engine* e, F f) {
  try {
    f();
    return 0;
  } catch (const std::exception& x) {
    e->error = x.what();
    return 1;
  }
}
