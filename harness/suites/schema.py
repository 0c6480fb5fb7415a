"""The shape of a suite file, as schemas of pydantic. What the words mean is checked where cases are built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag
from typing_extensions import TypeAliasType

from harness.core.case import Magnitude, PathName, Rule
from harness.core.example import MOST_THREADS
from harness.portable.dtypes import Dtype
from harness.portable.fills import Fill
from harness.portable.layouts import LAYOUTS
from harness.portable.memory_format import MemoryFormat
from harness.portable.settings import Setting
from harness.suites.validation import Items, StrictSchema
from harness.suites.wording import EXPECTED

Shorthand = Literal["exact", "multilinear", "elementwise", "normwise", "resampling"]
OutputName = Literal["preserves", "contiguous", "channels_last", "unspecified"]

_TAGS: Final[dict[type, str]] = {
    bool: "<flag>",
    int: "<number>",
    float: "<fraction>",
    str: "<text>",
    type(None): "<nothing>",
    list: "<list>",
    tuple: "<list>",
}


def _tag(value: Any) -> str:
    return _TAGS.get(type(value), "<mapping>")


def _expectation(words: str) -> Any:
    return Field(json_schema_extra={EXPECTED: words})


_BY_TYPE: Final = Discriminator(_tag)
_Flag: TypeAlias = Annotated[bool, Tag("<flag>")]
_Number: TypeAlias = Annotated[int, Tag("<number>")]
_Fraction: TypeAlias = Annotated[float, Tag("<fraction>")]
_Text: TypeAlias = Annotated[str, Tag("<text>")]
_Nothing: TypeAlias = Annotated[None, Tag("<nothing>")]

Number = Annotated[_Number | _Fraction | _Text, _BY_TYPE, _expectation("a number or an expression over the sizes")]
Arithmetic = Annotated[_Number | _Text, _BY_TYPE, _expectation("a whole number or an expression over the sizes")]
if TYPE_CHECKING:  # mypy does not follow recursive aliases through Annotated
    Choice = Any
    Argument = Any
else:
    Choice = TypeAliasType(
        "Choice",
        Annotated[
            _Flag | _Number | _Fraction | _Text | _Nothing | Annotated[Items["Choice"], Tag("<list>")],
            _BY_TYPE,
            _expectation("a number, a text, true, false, null, or a list of these"),
        ],
    )
    Argument = TypeAliasType(
        "Argument",
        Annotated[
            _Flag
            | _Number
            | _Fraction
            | _Text
            | _Nothing
            | Annotated[Items["Argument"], Tag("<list>")]
            | Annotated["WordsSchema", Tag("<mapping>")],
            _BY_TYPE,
            _expectation(
                "a tensor, an expression over the sizes, a number, true, false, null, {text: ...}, "
                "{torch: channels_last}, or a list of these"
            ),
        ],
    )
Choices = Annotated[Items[Choice], Field(min_length=1)]
ONE_SIZE: Final = "batch, channels, spatial, a range such as 1..5, a list of choices"


class DistributionSchema(StrictSchema):
    """One distribution with its bound. Exactly one key."""

    batch: Arithmetic | None = Field(None, description="At least this; `empty`: may also be 0")
    channels: Arithmetic | None = Field(None, description="At least this; `empty`: may also be 0")
    spatial: Arithmetic | None = Field(None, description="At least this; `empty`: may also be 0")


_Part: TypeAlias = (
    _Text | Annotated[Choices, Tag("<list>")] | Annotated[DistributionSchema, Tag("<mapping>")]
)  # what a pair is made of
PartEntry = Annotated[_Part, _BY_TYPE, _expectation(f"{ONE_SIZE}, or a mapping such as {{spatial: 3}}")]


class SizeSchema(DistributionSchema):
    """A size as a mapping: a distribution with its bound, or a tuple of two or three. Exactly one key."""

    pair: PartEntry | None = Field(None, description="A tuple of two, drawn independently: name[0], name[1]")
    triple: PartEntry | None = Field(
        None, description="A tuple of three, drawn independently: name[0], name[1], name[2]"
    )


SizeEntry = Annotated[
    _Text | Annotated[Choices, Tag("<list>")] | Annotated[SizeSchema, Tag("<mapping>")],
    _BY_TYPE,
    _expectation(f"{ONE_SIZE}, or a mapping such as {{channels: 4}} or {{pair: 1..5}}"),
]


class TensorSchema(StrictSchema):
    """One tensor argument."""

    shape: Items[Arithmetic] = Field(description="One expression over the sizes for each dimension; [] is a scalar")
    layout: MemoryFormat = Field("contiguous", description="channels_last: layouts of both formats are drawn")
    optional: bool = Field(default=False, description="May be absent: None is passed")
    grad: bool = Field(default=True, description="Its gradient is asked for when its dtype is floating")
    dtype: Dtype | None = Field(None, description="Left out: the dtype under test")
    between: Items[Number] | None = Field(
        None,
        description="The least and the largest number it holds",
        json_schema_extra={"minItems": 2, "maxItems": 2},
    )
    distinct: int | None = Field(
        None, ge=1, description="No number of its range occurs twice in that many of the last dimensions"
    )
    buffer: bool = Field(default=False, description="The operator may write it; what it then holds is judged")


class WordsSchema(StrictSchema):
    """A text that is no expression. Exactly one key."""

    text: str | None = Field(None, description="Passed as it is")
    torch: str | None = Field(None, description="What torch has under this name: float32, channels_last")


class TensorNumericsSchema(StrictSchema):
    """How the values of one tensor are judged."""

    rule: Rule = Field(description="The rule for this tensor")
    terms: Arithmetic | None = Field(None, description="The number of summands, where coefficients sum to one")
    ulps: float = Field(4.0, gt=0, allow_inf_nan=False, description="elementwise: the allowed ulps")
    magnitude: Magnitude = Field("none", description="elementwise: the largest intermediate")
    below: Arithmetic | None = Field(None, description="It holds indices: whole numbers from 0 to one less than this")


TensorNumericsEntry = Annotated[
    Annotated[Rule, Tag("<text>")] | Annotated[TensorNumericsSchema, Tag("<mapping>")],
    _BY_TYPE,
    _expectation("a rule, or a mapping such as {rule: multilinear, terms: 9}"),
]


class NumericsSchema(StrictSchema):
    """How values are judged, in full."""

    output: Rule = Field(description="The rule for outputs")
    gradient: Rule | None = Field(None, description="Left out: selection for exact outputs, else the outputs' rule")
    terms: Arithmetic | None = Field(None, description="The number of summands, where coefficients sum to one")
    ulps: float = Field(4.0, gt=0, allow_inf_nan=False, description="elementwise: the allowed ulps")
    magnitude: Magnitude = Field("none", description="elementwise: the largest intermediate")
    constant: bool = Field(default=False, description="Outputs are one number throughout, as those of zeros_like")
    each: dict[str, TensorNumericsEntry] = Field(
        default_factory=dict, description="Rules of single tensors: output[1], grad:bias, buffer:running_mean"
    )


class PreservesSchema(StrictSchema):
    """The tensors whose format the output has: `preserves`, where one in channels-last is enough. Exactly one key."""

    preserves: Annotated[Items[str], Field(min_length=1)] | None = Field(None, description="Names of tensors")
    shared: Annotated[Items[str], Field(min_length=1)] | None = Field(
        None, description="Names of tensors: channels-last if all of them are, contiguous if one is"
    )


class EmptySchema(StrictSchema):
    """Sizes that may be 0, where the float64 reference runs something else then."""

    sizes: Annotated[Items[str], Field(min_length=1)] = Field(description="Names of sizes")
    reference: str | None = Field(None, description="Dotted name of what the float64 reference runs instead")


class ExampleSchema(StrictSchema):
    """A corner that always runs first. What it leaves open takes its simplest value."""

    why: str = Field(min_length=3, description="What went wrong here once, and where that is written down")
    sizes: dict[str, Choice] = Field(default_factory=dict, description="Values of sizes")
    layouts: dict[str, str] = Field(
        default_factory=dict,
        description="Layouts of tensors, and of grad_output: a format, or format:view",
        json_schema_extra={"additionalProperties": {"type": "string", "enum": list(LAYOUTS)}},
    )
    absent: Items[str] = Field((), description="Optional tensors that are left out")
    fill: Fill | None = Field(None, description="What the tensors hold")
    threads: int | None = Field(None, ge=1, le=MOST_THREADS, description="Intra-op threads")
    inplace: bool = Field(default=False, description="Run the in-place form")


NumericsEntry = Annotated[
    Annotated[Shorthand, Tag("<text>")] | Annotated[NumericsSchema, Tag("<mapping>")],
    _BY_TYPE,
    _expectation(
        "exact, multilinear, elementwise, normwise, resampling, or a mapping such as {output: exact, terms: 9}"
    ),
]
OutputEntry = Annotated[
    Annotated[OutputName, Tag("<text>")] | Annotated[PreservesSchema, Tag("<mapping>")],
    _BY_TYPE,
    _expectation(
        "preserves, contiguous, channels_last, unspecified, {preserves: [input]}, or {shared: [first, second]}"
    ),
]


EmptyEntry = Annotated[
    Annotated[Items[str], Field(min_length=1), Tag("<list>")] | Annotated[EmptySchema, Tag("<mapping>")],
    _BY_TYPE,
    _expectation("a list of sizes, or a mapping such as {sizes: [C], reference: ...}"),
]


class DefaultsSchema(StrictSchema):
    """What the cases of a suite share. A case overrides it key by key."""

    sizes: dict[str, SizeEntry] = Field(default_factory=dict, description="Free choices, in the order of drawing")
    depth: SizeEntry | None = Field(
        None, description="Each case also as <name>_3d, over volumes: the size D, which is 1 in the case itself"
    )
    unbatched: bool = Field(
        default=False, description="Each case also as <name>_unbatched, without the batch axis N of images and volumes"
    )
    empty: EmptyEntry | None = Field(
        None, description="Each case also as <name>_empty: one of these sizes, or all of them, is 0"
    )
    result: Items[Arithmetic] | None = Field(
        None, description="The shape of each output, one expression over the sizes for each dimension"
    )
    require: Items[str] = Field((), description="Conditions over the sizes that construction cannot give; rare")
    tensors: dict[str, TensorSchema] = Field(default_factory=dict, description="Tensor arguments, passed in this order")
    positional: Items[Argument] | None = Field(
        None, description="What is passed by position; left out: the tensors, in their order"
    )
    arguments: dict[str, Argument] = Field(default_factory=dict, description="Keyword arguments")
    numerics: NumericsEntry | None = Field(None, description="How values are judged")
    output: OutputEntry = Field("unspecified", description="The output's strides")
    inplace: str | None = Field(None, description="The in-place form: a keyword set True, or a dotted callable")
    paths: Items[PathName] = Field((), description="Other ways to run the call: out, vmap, ...")
    settings: Items[Setting] = Field((), description="Settings of PyTorch to run the call under now and then")
    dtypes: Items[Dtype] = Field(("float32", "float64", "bfloat16", "float16"), min_length=1, description="Dtypes run")
    unsupported: Items[Dtype] = Field(
        (), description="Dtypes that the operator must refuse, with the same error in both formats and at every level"
    )
    fills: Items[Fill] = Field(("integers", "reals"), min_length=1, description="What tensors are filled with")
    examples: Items[ExampleSchema] = Field((), description="Corners that always run first")
    requires: Items[str] = Field((), description="Packages without which the cases are not available")


StateEntry = Annotated[
    Annotated[Items[str], Tag("<list>")] | Annotated[dict[str, str], Tag("<mapping>")],
    _BY_TYPE,
    _expectation("a list of tensors, or a mapping of the module's names to tensors"),
]
ModeEntry = Annotated[_Flag | _Text, _BY_TYPE, _expectation("true, false, or an expression over the sizes")]


class CaseSchema(DefaultsSchema):
    """One operator or module, or with `names` one family of them that differ in a name. One of `call` and `module`."""

    call: str | None = Field(None, description="Dotted name: torch.nn.functional.conv2d, torch.ops.aten.relu.default")
    module: str | None = Field(None, description="Dotted name of a torch.nn.Module: torch.nn.BatchNorm2d")
    reference: str | None = Field(
        None, description="Dotted name of what the float64 reference runs instead, with the same arguments"
    )
    init: dict[str, Argument] = Field(default_factory=dict, description="Keyword arguments that make the module")
    train: ModeEntry = Field(default=True, description="The module's mode: true, false, or a size that says which")
    state: StateEntry = Field((), description="Tensors that stand for the module's parameters and buffers")
    names: Items[str] | None = Field(None, min_length=1, description="One case for each; replaces {name} in `call`")


class SuiteSchema(StrictSchema):
    """A suite file."""

    suite: str = Field(min_length=1, description="The name of the suite")
    about: str = Field("", description="What these cases have in common, and why they are worth a test")
    defaults: DefaultsSchema = Field(default_factory=DefaultsSchema, description="Keys that the cases share")
    cases: dict[str, CaseSchema] = Field(min_length=1, description="Cases by name")
