/* A result as JSON, docs/result-schema.md. */
#ifndef REPORT_JSON_H
#define REPORT_JSON_H

#include <jansson.h>

#include "transcript/result.h"

#define RESULT_JSON_FLAGS (JSON_INDENT(2) | JSON_REAL_PRECISION(15))

/* What result.json holds: schema_version, "verdict" and "record" (null without a
 * record).  The caller owns the reference. */
json_t *result_to_json(const struct result *result);

#endif
