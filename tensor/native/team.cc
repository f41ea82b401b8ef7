#include "team.h"

#if defined(__x86_64__)
#include <immintrin.h>
static inline void pause_cpu() { _mm_pause(); }
#else
static inline void pause_cpu() { std::this_thread::yield(); }
#endif

namespace nextslice {

// About 50 µs: longer than the gap between two operations of a training step, far shorter than a time slice.
static const int kSpins = 2000;

static const uint32_t kClosed = 0x7fffffff;  // a part number above every job's

Team::Team(int threads) : shares_(threads) {
  for (int t = 1; t < threads; ++t) workers_.emplace_back([this, t] { work(t); });
}

Team::~Team() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    quit_ = true;
  }
  wake_.notify_all();
  for (auto& w : workers_) w.join();
}

void Team::dispatch(int parts, Call call, void* arg) {
  // Close the last job first: a worker that still holds one of its tickets must not claim a part once the fields below
  // belong to the next job.
  const uint32_t last = static_cast<uint32_t>(shares_[0].ticket.load(std::memory_order_relaxed) >> 32);
  uint32_t job = last + 1;
  for (Share& s : shares_) s.ticket.store(static_cast<uint64_t>(last) << 32 | kClosed, std::memory_order_seq_cst);
  call_.store(call, std::memory_order_relaxed);
  arg_.store(arg, std::memory_order_relaxed);
  left_.store(parts, std::memory_order_relaxed);
  {
    std::lock_guard<std::mutex> lock(mutex_);  // no worker may check for work and fall asleep in between
    const int64_t n = threads();
    for (int t = 0; t < n; ++t) {
      // A worker that sees the new end also sees the ticket closed, and cannot claim with an old one.
      shares_[t].end.store(static_cast<int>(parts * (t + 1) / n), std::memory_order_release);
      shares_[t].ticket.store(static_cast<uint64_t>(job) << 32 | static_cast<uint64_t>(parts * t / n),
                              std::memory_order_release);
    }
  }
  wake_.notify_all();
  while (step(0, &job)) {
  }
  for (int i = 0; i < kSpins && left_.load(std::memory_order_acquire) != 0; ++i) pause_cpu();
  if (left_.load(std::memory_order_acquire) != 0) {
    std::unique_lock<std::mutex> lock(mutex_);
    done_.wait(lock, [this] { return left_.load(std::memory_order_acquire) == 0; });
  }
}

// step claims a part, of the thread's share or else of the next one that has any left, and computes it. It sets *job to the
// number of the current job and returns false if that has no part left.
bool Team::step(int thread, uint32_t* job) {
  for (int i = 0; i < threads(); ++i) {
    Share& share = shares_[(thread + i) % threads()];
    uint64_t t = share.ticket.load(std::memory_order_acquire);
    if (i == 0) *job = static_cast<uint32_t>(t >> 32);
    for (;;) {
      const int part = static_cast<int>(static_cast<uint32_t>(t));
      if (part >= share.end.load(std::memory_order_acquire)) break;
      Call call = call_.load(std::memory_order_relaxed);
      void* arg = arg_.load(std::memory_order_relaxed);
      // Success means that the ticket has not changed since it was read, so call and arg are this job's.
      if (!share.ticket.compare_exchange_weak(t, t + 1, std::memory_order_acq_rel, std::memory_order_acquire)) continue;
      call(arg, part, thread);
      if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1 && thread != 0) {
        std::lock_guard<std::mutex> lock(mutex_);
        done_.notify_one();
      }
      return true;
    }
  }
  return false;
}

void Team::work(int thread) {
  uint32_t seen = 0;
  auto fresh = [&] { return static_cast<uint32_t>(shares_[thread].ticket.load(std::memory_order_acquire) >> 32) != seen; };
  for (;;) {
    for (int i = 0; i < kSpins && !fresh() && !quit_; ++i) pause_cpu();
    if (!fresh()) {
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [&] { return quit_ || fresh(); });
    }
    if (quit_) return;
    while (step(thread, &seen)) {
    }
  }
}

}  // namespace nextslice
