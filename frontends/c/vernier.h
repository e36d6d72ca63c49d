/* Vernier's cost API for C and for bindings in any language: opaque handles, plain arrays, no
 * exceptions. What it computes is described in dataflow/surrogate/cost_model.hpp.
 *
 * Every function that can fail returns a vernier_status; then vernier_last_error() says why, in a
 * sentence that names the field and what is allowed. Handles may be used from many threads at once
 * (freeing excepted). Names follow the release's minor version: within it, nothing is taken away
 * and structs do not change. */
#ifndef VERNIER_H
#define VERNIER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Rises when something is added; VERNIER_API_VERSION is what this header describes. */
#define VERNIER_API_VERSION 2
int vernier_api_version(void);

typedef enum vernier_status {
  VERNIER_OK = 0,
  VERNIER_INFEASIBLE = 1, /* legal, but a layer fits no buffer */
  VERNIER_USER_ERROR = 2, /* wrong file, name, bits or option */
  VERNIER_BUG = 3         /* please report */
} vernier_status;

/* The last failure of the calling thread; "" when there was none. Valid until its next call. */
const char* vernier_last_error(void);

typedef struct vernier_machine vernier_machine;
typedef struct vernier_network vernier_network;
typedef struct vernier_cost_model vernier_cost_model;

/* A machine file (YAML). Energy tables are looked for beside it, then in `table_folders`. */
vernier_status vernier_machine_load(const char* path, const char* const* table_folders,
                                    size_t table_folder_count, vernier_machine** machine);
void vernier_machine_free(vernier_machine* machine);

/* A network file, known by its content and the end of its name: YAML, ONNX, TFLite, SCALE-Sim
 * topology (CSV). Kinds and zero points of its tensors are kept. */
vernier_status vernier_network_load(const char* path, vernier_network** network);
void vernier_network_free(vernier_network* network);

/* Machine and network must outlive the model. */
vernier_status vernier_cost_model_create(const vernier_machine* machine,
                                         const vernier_network* network,
                                         vernier_cost_model** model);
void vernier_cost_model_free(vernier_cost_model* model);

/* A weight tensor that has several widths, side by side in its output channels. */
typedef struct vernier_slices {
  const char* tensor;     /* name of a weight tensor, "<layer>.weight" */
  const size_t* channels; /* output channels of each slice, which sum to the tensor's; NULL with */
  size_t count;           /* count 0: one slice for each output channel */
} vernier_slices;

/* The same with some tensors sliced: each slice is a variable, "<tensor>[<slice>]", in order. At
 * legal widths that fill whole column blocks, vernier_relax equals vernier_evaluate; elsewhere they
 * are at most one block of columns per width apart. (API version 2) */
vernier_status vernier_cost_model_create_sliced(const vernier_machine* machine,
                                                const vernier_network* network,
                                                const vernier_slices* slices, size_t slice_count,
                                                vernier_cost_model** model);

/* Variables are the widths of the tensors, in a fixed order; every array of bits has one number for
 * each. An index outside is a user error: NULL or 0. */
size_t vernier_variable_count(const vernier_cost_model* model);
const char* vernier_variable_name(const vernier_cost_model* model, size_t variable);
/* Writes up to `capacity` legal widths, ascending, and returns how many there are. */
size_t vernier_variable_widths(const vernier_cost_model* model, size_t variable, int* widths,
                               size_t capacity);
/* Output channels of a slice; 0: the variable is a whole tensor. (API version 2) */
size_t vernier_variable_channels(const vernier_cost_model* model, size_t variable);
vernier_status vernier_variable_find(const vernier_cost_model* model, const char* name,
                                     size_t* variable);

/* Sums over the network. */
typedef struct vernier_figures {
  double cycles;
  double energy_pj;
  double dram_bits;
} vernier_figures;

/* Exact cost at whole bits; fractional bits are refused. */
vernier_status vernier_evaluate(const vernier_cost_model* model, const double* bits, size_t count,
                                vernier_figures* figures);

typedef enum vernier_form {
  VERNIER_PENALTY = 0,
  VERNIER_HINGE = 1,
  VERNIER_SQUARED_HINGE = 2,
  VERNIER_LOG_BARRIER = 3,
  VERNIER_AUGMENTED_LAGRANGIAN = 4,
  VERNIER_FORM_RANGE = 0x7fffffff /* no form: every number that a caller may pass is a value */
} vernier_form;

typedef struct vernier_objective {
  const char*
      measure; /* "latency", "energy", "energy_delay", "dram_traffic", "weight_size_kB" ... */
  vernier_form form;
  double weight;
  double target;
  double multiplier;
} vernier_objective;

typedef struct vernier_relax_options {
  int forward_exact; /* 0: value of the real-valued bits; 1: of the widths they round up to */
  int kink;          /* 0: mean of both sides; 1: left; 2: right */
  int tie;           /* 1: a layer's weight and input are one variable */
  int envelope;      /* 1: the cheapest width at or above, where a cost falls with wider bits */
} vernier_relax_options;

/* Value and gradient at real-valued bits. `options` may be NULL (all 0); `measured`
 * (objective_count numbers) and `gradient` (count numbers) may be NULL. `total` is the sum of the
 * objectives, `gradient` its derivative by each variable. */
vernier_status vernier_relax(const vernier_cost_model* model, const double* bits, size_t count,
                             const vernier_objective* objectives, size_t objective_count,
                             const vernier_relax_options* options, double* total, double* measured,
                             double* gradient);

/* max(0, multiplier + weight * (measured / target - 1)) of an augmented Lagrangian. */
vernier_status vernier_updated_multiplier(const vernier_objective* objective, double measured,
                                          double* multiplier);

typedef enum vernier_round_policy {
  VERNIER_ROUND_UP = 0,
  VERNIER_ROUND_NEAREST = 1,
  VERNIER_ROUND_DOWN = 2,
  VERNIER_ROUND_RANGE = 0x7fffffff /* no policy, as VERNIER_FORM_RANGE */
} vernier_round_policy;

/* Legal widths for any bits. */
vernier_status vernier_round_to_legal(const vernier_cost_model* model, const double* bits,
                                      size_t count, vernier_round_policy policy, double* legal);

#ifdef __cplusplus
}
#endif

#endif /* VERNIER_H */
