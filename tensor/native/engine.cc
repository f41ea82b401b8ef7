#include "engine.h"

#include "library.h"

using namespace nextslice;

namespace {

#define TEXT(x) #x
#define VALUE(x) TEXT(x)
#if defined(__clang__)
const char kCompiler[] = "clang++ " VALUE(__clang_major__) "." VALUE(__clang_minor__) "." VALUE(__clang_patchlevel__);
#elif defined(__GNUC__)
const char kCompiler[] = "g++ " VALUE(__GNUC__) "." VALUE(__GNUC_MINOR__) "." VALUE(__GNUC_PATCHLEVEL__);
#else
const char kCompiler[] = "C++ compiler";
#endif

}  // namespace

ns_engine::ns_engine(int threads, const Kernels& table, bool matrix_unit, int kernels)
    : team(threads), k(table), local(threads), copies(threads), sums(threads), amx(matrix_unit), winograd(kernels == NS_WINOGRAD),
      library(kernels == NS_LIBRARY ? new_library() : nullptr) {}

ns_engine::~ns_engine() = default;

#ifndef NS_ONEDNN
std::unique_ptr<Library> nextslice::new_library() { return nullptr; }
#endif

extern "C" {

ns_engine* ns_new(int threads, int isa, int kernels, const char** error) {
  const Kernels* table = nextslice::kernels(isa);
  if (!table) {
    *error = "this processor lacks the instruction set asked for";
    return nullptr;
  }
  try {
    auto e = std::make_unique<ns_engine>(threads, *table, isa == NS_AMX, kernels);
    if (kernels != NS_LIBRARY || e->library) return e.release();
    *error = "this build has no oneDNN to compare with; install it with `scripts/deps.sh onednn` and build with `-tags onednn`";
  } catch (const std::exception&) {
    *error = "cannot start the threads";
  }
  return nullptr;
}

void ns_free(ns_engine* e) { delete e; }
const char* ns_error(const ns_engine* e) { return e->error.c_str(); }
const char* ns_isa(const ns_engine* e) { return e->k.name; }
const char* ns_compiler(void) { return kCompiler; }
const char* ns_library(const ns_engine* e) { return e->library ? e->library->name() : ""; }
}
