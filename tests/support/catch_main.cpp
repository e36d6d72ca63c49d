// The one translation unit that compiles Catch2 itself; it takes far longer than any test file.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
