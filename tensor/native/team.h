// Team: the threads of one engine.
#pragma once
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace nextslice {

// Team runs a function over the parts 0 … parts-1 of a job on its threads, one of which is the caller's. Each thread begins with
// the same stretch of the parts in every job, so that it finds in its cache what it wrote in the last one. Parts are claimed
// one by one, and a thread that has finished its stretch claims parts of the other threads': one that the system suspends delays
// only the part it is computing. Results must not depend on which thread computes which part. Between jobs a worker spins
// briefly, then sleeps, and leaves the processor to others (OpenMP's spinning barriers cost a factor of ten on a busy
// machine).
class Team {
 public:
  explicit Team(int threads);
  ~Team();
  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // run calls f(part, thread) for every part and returns when all are done. It does not nest.
  template <typename F>
  void run(int parts, F&& f) {
    if (workers_.empty() || parts <= 1) {
      for (int p = 0; p < parts; ++p) f(p, 0);
      return;
    }
    using Fn = std::remove_reference_t<F>;
    dispatch(parts, [](void* arg, int part, int thread) { (*static_cast<Fn*>(arg))(part, thread); }, &f);
  }

  // run_by_address calls f(from, count) for pieces that cover base[0] … base[n-1]. Which thread a piece of memory falls to
  // depends on its address alone: what one operation writes, another finds in the cache of its core.
  template <typename F>
  void run_by_address(const float* base, int64_t n, F f) {
    constexpr int64_t kPiece = 4096;  // floats: four pages, so that only few lines have two writers
    const int64_t offset = static_cast<int64_t>(reinterpret_cast<uintptr_t>(base) / sizeof(float));
    const int64_t first = offset / kPiece, last = (offset + n - 1) / kPiece, all = threads();
    const int64_t each = (last - first) / all + 1;  // pieces of a thread: every all-th one
    run(static_cast<int>(all * each), [&](int part, int) {
      const int64_t thread = part / each;
      const int64_t piece = first + (thread - first % all + all) % all + part % each * all;
      const int64_t from = std::max<int64_t>(piece * kPiece - offset, 0), to = std::min((piece + 1) * kPiece - offset, n);
      if (from < to) f(from, to - from);
    });
  }

 private:
  using Call = void (*)(void*, int part, int thread);
  void dispatch(int parts, Call call, void* arg);
  void work(int thread);
  bool step(int thread, uint32_t* job);

  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  struct alignas(64) Share {
    // The job's number in the upper half, the share's next part in the lower. A late worker's claim of a job that has ended
    // fails, because the number has changed.
    std::atomic<uint64_t> ticket{0};
    std::atomic<int> end{0};
  };
  std::vector<Share> shares_;  // one per thread
  std::atomic<int> left_{0};
  std::atomic<bool> quit_{false};
  std::atomic<Call> call_{nullptr};
  std::atomic<void*> arg_{nullptr};
};

}  // namespace nextslice
