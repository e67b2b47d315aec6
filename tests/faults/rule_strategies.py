"""Rules for hypothesis: all that can be spelled, each in the one way that a text is read as."""

from hypothesis import strategies as st

from tracefs.faults import names, options, spelling
from tracefs.faults.amounts import MOST
from tracefs.faults.model import Delay, Mode, Per, Rule, Shape, When
from tracefs.faults.refused import RefusedError

SIZES = st.one_of(st.integers(1, MOST), st.integers(1, 9000).map(lambda k: k << 10))


def _nanoseconds(least: int = 1) -> st.SearchStrategy[float]:
    return st.integers(least, 86_400_000_000_000).map(lambda ns: float(f"{ns}e-6"))


def _delay(shape: Shape, first: float, second: float, sigma: int) -> Delay:
    match shape:
        case Shape.FIXED | Shape.EXPONENTIAL:
            return Delay(shape=shape, first=first)
        case Shape.UNIFORM:
            least, most = sorted((first, second))
            return (
                Delay(first=first)
                if first == second
                else Delay(shape=shape, first=least, second=most)
            )
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
CALLS = st.lists(
    st.sampled_from([*names.KNOWN, *(f"={call}" for call in sorted(names.SYSTEM_CALLS))]),
    min_size=1,
    max_size=4,
)


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    """Any rule that contradicts nothing."""
    made = options.Options(
        stuck=draw(st.booleans()),
        delay_enter=draw(st.none() | DELAYS),
        delay_exit=draw(st.none() | DELAYS),
        delay_per_mib=draw(st.just(0.0) | _nanoseconds()),
        rot=draw(st.none() | st.integers(1, 1 << 20)),
        when=draw(WHENS),
        after_bytes=draw(st.just(0) | SIZES),
        probability=draw(st.just(1.0) | st.integers(0, 10**12).map(lambda n: float(f"{n}e-12"))),
        seed=draw(st.just(0) | st.integers(0, MOST)),
    )
    if made.when is not None:
        made.per = made.when.per
    match draw(st.sampled_from(["error", "retval", "short", "full", "nothing"])):
        case "error":
            made.error = draw(st.integers(1, 511).filter(lambda number: number != 38))
            made.mode = draw(st.none() | st.sampled_from(Mode))
        case "retval":
            made.retval = draw(st.integers(0, MOST))
        case "short":
            made.short = draw(SIZES)
        case "full":
            made.full = draw(st.just(0) | SIZES)
    try:
        return spelling.make(draw(CALLS), draw(GLOBS), made)
    except RefusedError:
        return draw(st.nothing())
