/* What the record knows of the programmable wire.
 *
 * Theory of operation
 *
 * Each event names the frame as its sender's capture point saw it leave (`packet`), or
 * what the receiver's saw come of it (`arrival`), or both.  Hence nothing is guessed:
 *
 *   drop, loss, overflow   a frame of which every copy is gone is lost, also where its
 *                          receiver was not captured, and no arrival can be its;
 *   duplicate              one arrival more can;
 *   rewrite, corrupt       what came has another identity (story_match.c): the sending
 *                          gets that one;
 *   inject                 the arrival is nobody's;
 *   delay, hold            that it has not arrived does not say that it is lost;
 *   stay                   it is not: it was on the wire still when the run ended.
 *
 * A mark changes nothing that the story compares.  Events of evidence that contradict the
 * packets are left alone: the packets then speak for themselves. */
#include "transcript/story_build.h"

static struct sighting *find(const struct build *b, long packet, enum role role)
{
    if (packet < 0 || (size_t)packet >= b->seen.n)
        return NULL;
    struct sighting *s = &b->seen.at[packet];
    return s->role == role ? s : NULL;
}

static void change(struct sighting *s, const struct sighting *arrival)
{
    if (arrival)
        s->identity = arrival->identity;
}

static void note(struct sighting *s, struct sighting *arrival, enum wire_action action)
{
    switch (action) {
    case WIRE_DROP:
    case WIRE_LOSS:
    case WIRE_OVERFLOW:
        s->gone++;
        break;
    case WIRE_DUPLICATE:
        s->copies++;
        break;
    case WIRE_HOLD:
        s->held = true;
        s->late = true;
        break;
    case WIRE_DELAY:
        s->late = true;
        break;
    case WIRE_STAY:
        s->stays = true;
        s->late = true;
        break;
    case WIRE_CORRUPT:
        s->corrupted++;
        change(s, arrival);
        break;
    case WIRE_REWRITE:
        s->rewritten = true;
        change(s, arrival);
        break;
    case WIRE_MARK:
    case WIRE_INJECT:
    case WIRE_ACTION_COUNT:
        break;
    }
}

void story_wire(struct build *b)
{
    vec_each (&b->record->wire, w) {
        struct sighting *s = find(b, w->packet, ROLE_SENT);
        struct sighting *arrival = find(b, w->arrival, ROLE_RECEIVED);
        if (w->action == WIRE_INJECT && arrival)
            arrival->injected = true;
        else if (s && s->copies < UINT16_MAX && s->gone < UINT16_MAX)
            note(s, arrival, w->action);
    }
    vec_each (&b->seen, s) {
        if (s->gone >= s->copies)
            s->fate = FATE_LOST;
    }
}
