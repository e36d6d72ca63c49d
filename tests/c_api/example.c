/* Uses the C API as a binding would: finds narrow widths for a network under a latency budget by
 * gradient steps, and checks every number that can be checked. Arguments: machine, network, folder
 * of energy tables. Exits 0 when all holds. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontends/c/vernier.h"

static void check(int condition, const char* what) {
  if (condition) return;
  fprintf(stderr, "failed: %s; last error: %s\n", what, vernier_last_error());
  exit(1);
}

int main(int argc, char** argv) {
  check(argc == 4, "three arguments");
  check(vernier_api_version() == VERNIER_API_VERSION, "header and library agree");
  const char* folders[1];
  folders[0] = argv[3];
  vernier_machine* machine = NULL;
  vernier_network* network = NULL;
  vernier_cost_model* model = NULL;
  check(vernier_machine_load(argv[1], folders, 1, &machine) == VERNIER_OK, "machine");
  check(vernier_network_load(argv[2], &network) == VERNIER_OK, "network");
  check(vernier_cost_model_create(machine, network, &model) == VERNIER_OK, "model");

  const size_t count = vernier_variable_count(model);
  double* bits = malloc(count * sizeof(double));
  double* gradient = malloc(count * sizeof(double));
  double* legal = malloc(count * sizeof(double));
  check(count > 0 && bits != NULL && gradient != NULL && legal != NULL, "memory");
  size_t at;
  for (at = 0; at < count; ++at) bits[at] = 8.0;

  /* On legal widths the surrogate is the evaluator. */
  vernier_figures start;
  check(vernier_evaluate(model, bits, count, &start) == VERNIER_OK, "evaluate");
  vernier_objective latency = {"latency", VERNIER_PENALTY, 1.0, 0.0, 0.0};
  double total = 0.0;
  double measured = 0.0;
  check(vernier_relax(model, bits, count, &latency, 1, NULL, &total, &measured, gradient) ==
            VERNIER_OK,
        "relax");
  check(total == start.cycles && measured == start.cycles, "relax equals evaluate");

  /* Steps down the gradient of a squared hinge until the budget is met. */
  latency.form = VERNIER_SQUARED_HINGE;
  latency.target = 0.8 * start.cycles;
  latency.weight = 1.0 / (start.cycles * start.cycles);
  int step;
  for (step = 0; step < 200 && measured > latency.target; ++step) {
    double norm = 0.0;
    check(vernier_relax(model, bits, count, &latency, 1, NULL, &total, &measured, gradient) ==
              VERNIER_OK,
          "step");
    for (at = 0; at < count; ++at) norm = fmax(norm, fabs(gradient[at]));
    if (norm == 0.0) break;
    for (at = 0; at < count; ++at) {
      bits[at] = fmin(8.0, fmax(2.0, bits[at] - 0.1 * gradient[at] / norm));
    }
  }
  check(measured <= latency.target, "the budget is met");
  vernier_figures end;
  check(vernier_round_to_legal(model, bits, count, VERNIER_ROUND_DOWN, legal) == VERNIER_OK,
        "round");
  check(vernier_evaluate(model, legal, count, &end) == VERNIER_OK, "evaluate at the end");
  check(end.cycles < start.cycles, "the widths that were found are faster");

  /* Names, widths, wrong use. */
  int widths[8];
  const size_t known = vernier_variable_widths(model, 0, widths, 8);
  check(known >= 2 && widths[0] < widths[1], "ascending widths");
  check(vernier_variable_find(model, vernier_variable_name(model, count - 1), &at) == VERNIER_OK &&
            at == count - 1,
        "a variable by name");
  check(vernier_variable_name(model, count) == NULL, "no variable beyond the last");
  bits[0] = 4.5;
  check(vernier_evaluate(model, bits, count, &end) == VERNIER_USER_ERROR &&
            strstr(vernier_last_error(), "found 4.5") != NULL,
        "fractional bits are refused");
  check(vernier_evaluate(model, bits, count - 1, &end) == VERNIER_USER_ERROR, "too few bits");
  latency.measure = "latncy";
  check(vernier_relax(model, legal, count, &latency, 1, NULL, &total, NULL, NULL) ==
                VERNIER_USER_ERROR &&
            strstr(vernier_last_error(), "did you mean 'latency'?") != NULL,
        "an unknown measure is refused");
  check(vernier_relax(model, NULL, count, NULL, 0, NULL, &total, NULL, NULL) ==
            VERNIER_USER_ERROR,
        "missing bits are refused");

  check(vernier_round_to_legal(model, legal, count, (vernier_round_policy)7, legal) ==
                VERNIER_USER_ERROR &&
            strstr(vernier_last_error(), "policy: found 7") != NULL,
        "an unknown policy is refused");

  /* The same network with the last weight tensor sliced into its output channels. */
  size_t last = count;
  while (last > 0 && strstr(vernier_variable_name(model, last - 1), ".weight") == NULL) --last;
  check(last > 0, "a weight tensor");
  vernier_slices slices;
  slices.tensor = vernier_variable_name(model, last - 1);
  slices.channels = NULL;
  slices.count = 0;
  vernier_cost_model* sliced = NULL;
  check(vernier_cost_model_create_sliced(machine, network, &slices, 1, &sliced) == VERNIER_OK,
        "sliced model");
  const size_t more = vernier_variable_count(sliced);
  check(more > count && vernier_variable_channels(sliced, last - 1) == 1, "one slice per channel");
  double* wide = malloc(more * sizeof(double));
  check(wide != NULL, "memory");
  for (at = 0; at < more; ++at) wide[at] = 8.0;
  check(vernier_evaluate(sliced, wide, more, &end) == VERNIER_OK && end.cycles == start.cycles,
        "equal slices cost what the whole tensor costs");
  slices.tensor = "no such tensor";
  check(vernier_cost_model_create_sliced(machine, network, &slices, 1, &sliced) ==
            VERNIER_USER_ERROR,
        "slices of nothing are refused");
  free(wide);
  vernier_cost_model_free(sliced);
  check(vernier_evaluate(model, legal, count, &end) == VERNIER_OK, "the first model still works");

  printf("%s: %.0f cycles, then %.0f\n", argv[2], start.cycles, end.cycles);
  free(bits);
  free(gradient);
  free(legal);
  vernier_cost_model_free(model);
  vernier_network_free(network);
  vernier_machine_free(machine);
  return 0;
}
