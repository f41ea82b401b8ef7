#include "kernels.h"

#include "amx.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#include <immintrin.h>

#ifdef _WIN64
// Windows aligns the stack to 16 bytes and GCC cannot align it further there, yet spills wider vectors with instructions that
// demand it (GCC bug 54412). These macros make the assembler write those that do not.
asm(".macro vmovaps args:vararg\n vmovups \\args\n .endm\n"
    ".macro vmovapd args:vararg\n vmovupd \\args\n .endm\n"
    ".macro vmovdqa args:vararg\n vmovdqu \\args\n .endm\n"
    ".macro vmovdqa32 args:vararg\n vmovdqu32 \\args\n .endm\n"
    ".macro vmovdqa64 args:vararg\n vmovdqu64 \\args\n .endm");
#endif
#endif

// Each instruction set is one inclusion of kernels.inc.h (a .h, or the go command would not see that it has changed), with
// VW, the floats of a vector, and REGISTERS, the vector registers less four for what is multiplied. Where a processor has no
// vectors of that width, the compiler makes several narrow ones of each, so the baseline works everywhere.
namespace nextslice {

namespace baseline {
#define VW 4
#ifdef __aarch64__
#define REGISTERS 28
#define NAME "NEON"
#else
#define REGISTERS 12
#define NAME "baseline"
#endif
#define NARROWER nullptr
#include "kernels.inc.h"
#undef VW
#undef REGISTERS
#undef NAME
#undef NARROWER
}  // namespace baseline

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)

#pragma GCC push_options
#pragma GCC target("avx2,fma,prfchw")
namespace avx2 {
#define VW 8
#define REGISTERS 12
#define NAME "AVX2"
#define NARROWER nullptr
#define SQUARE_ROOT(v) _mm256_sqrt_ps(v)
#include "kernels.inc.h"
#undef SQUARE_ROOT
#undef VW
#undef REGISTERS
#undef NAME
#undef NARROWER
}  // namespace avx2
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,prfchw,prefer-vector-width=512")
namespace avx512 {
#define VW 16
#define REGISTERS 28
#define NAME "AVX-512"
#define NARROWER &avx2::table
#define SQUARE_ROOT(v) _mm512_maskz_sqrt_ps(0xffff, v)
#include "kernels.inc.h"
#undef SQUARE_ROOT
#undef VW
#undef REGISTERS
#undef NAME
#undef NARROWER
}  // namespace avx512
#pragma GCC pop_options

const Kernels* kernels(int isa) {
  const bool has2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool has512 = has2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  switch (isa) {
    case NS_BEST:
      return has512 ? &avx512::table : has2 ? &avx2::table : &baseline::table;
    case NS_BASELINE:
      return &baseline::table;
    case NS_AVX2:
      return has2 ? &avx2::table : nullptr;
    case NS_AVX512:
      return has512 ? &avx512::table : nullptr;
    case NS_AMX: {
      static const Kernels table = [] {
        Kernels t = avx512::table;
        t.name = "AMX";
        return t;
      }();
      return has512 && amx_ready() ? &table : nullptr;
    }
  }
  return nullptr;
}

#else

const Kernels* kernels(int isa) { return isa == NS_BEST || isa == NS_BASELINE ? &baseline::table : nullptr; }

#endif

}  // namespace nextslice
