#include "lab/wire.h"

const struct wire_action_names wire_action_names[WIRE_ACTION_COUNT] = {
#define X(id, word, past) [WIRE_##id] = {word, past},
    WIRE_ACTIONS(X)
#undef X
};
