// One copy of a function per instruction set, chosen when the program starts.
#pragma once

// Sanitizers instrument the chooser, which runs before they are ready; clang rejects it on
// overloaded functions.
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define VERNIER_SIMD_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define VERNIER_SIMD_CLONES
#endif
