"""Rules for hypothesis: all that can be spelled, each in the one way that a text is read as."""

from hypothesis import strategies as st

from tracefs.faults import able, names, options, spelling
from tracefs.faults.amounts import MOST
from tracefs.faults.model import Delay, Mode, Per, Rule, Shape, When

SIZES = st.one_of(st.integers(1, MOST), st.integers(1, 9000).map(lambda k: k << 10))
NAMES = (*names.KNOWN, *(f"={call}" for call in sorted(names.SYSTEM_CALLS)))


def _nanoseconds() -> st.SearchStrategy[float]:
    return st.integers(1, 86_400_000_000_000).map(lambda ns: float(f"{ns}e-6"))


def _delay(shape: Shape, first: float, second: float, sigma: int) -> Delay:
    match shape:
        case Shape.FIXED | Shape.EXPONENTIAL:
            return Delay(shape=shape, first=first)
        case Shape.UNIFORM:
            least, most = sorted((first, second))
            if least == most:
                return Delay(first=first)
            return Delay(shape=shape, first=least, second=most)
        case Shape.NORMAL:
            return Delay(shape=shape, first=first, second=second)
        case Shape.LOGNORMAL:
            return Delay(shape=shape, first=first, second=sigma / 1000)


DELAYS = st.builds(
    _delay, st.sampled_from(Shape), _nanoseconds(), _nanoseconds(), st.integers(1, 10_000)
)


def _when(first: int, times: int | None, step: int, per: Per) -> When | None:
    if times is None:
        return None if (first, step) == (1, 1) else When(first=first, step=step, per=per)
    step = 1 if times == 0 else step
    return When(first=first, last=first + times * step, step=step, per=per)


WHENS = st.one_of(
    st.none(),
    st.builds(
        _when,
        st.integers(1, 1 << 40),
        st.none() | st.integers(0, 1000),
        st.integers(1, 1 << 20),
        st.sampled_from(Per),
    ),
)
GLOBS = st.one_of(
    st.none(),
    st.sampled_from(["*.db", "a(1):b", "[)]", "[!(]x", "a:b=c,d", "é\\x0a", "[[]", "x[", "]"]),
    st.text("ab*?[]()!:=,\\/é\n", min_size=1, max_size=12),
)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Any rule that contradicts nothing."""
    made = options.Options(
        delay_enter=draw(st.none() | DELAYS),
        delay_exit=draw(st.none() | DELAYS),
        when=draw(WHENS),
        probability=draw(st.just(1.0) | st.integers(0, 10**12).map(lambda n: float(f"{n}e-12"))),
        seed=draw(st.just(0) | st.integers(0, MOST)),
    )
    if made.when is not None:
        made.per = made.when.per
    able_to = None
    match draw(st.sampled_from(["error", "mode", "retval", "short", "full", "rot", "stuck"])):
        case "error":
            made.error = draw(st.integers(1, 511).filter(lambda number: number != 38))
        case "mode":
            made.error = 5
            made.mode = draw(st.sampled_from(Mode))
            able_to = able.SYNCS_FILE
        case "retval":
            made.retval = draw(st.just(0) | st.integers(1, MOST))
            able_to = able.WRITES if made.retval else able.DONE
        case "short":
            made.short = draw(SIZES)
            able_to = able.SHORTENED
        case "full":
            made.full = draw(st.just(0) | SIZES)
            able_to = able.FILLS
        case "rot":
            made.rot = draw(st.integers(1, 1 << 20))
            able_to = able.READS
        case _:
            made.stuck = True
    pool = [name for name in NAMES if able_to is None or able.requests_of(name) & able_to]
    calls = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=4))
    if all(able.requests_of(name) & (able_to or able.MOVES) & able.MOVES for name in calls):
        made.after_bytes = draw(st.just(0) | SIZES)
        made.delay_per_mib = draw(st.just(0.0) | _nanoseconds())
    return spelling.make(calls, draw(GLOBS), made)
