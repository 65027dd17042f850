"""Reads a template despite its errors, so that all of them can be reported at once.

Such a template is never rendered. Only what breaks its blocks ends the reading.
"""

from catalog.templating.blocks import BlockParser
from catalog.templating.contract import FaultError, Names
from catalog.templating.linker import LinkedTemplate, Linker
from catalog.templating.nodes import Expression, FunctionCall, Literal, Pipe, Template
from catalog.templating.resolver import BlockScope, ResolvedReference, Root
from catalog.templating.tags import Tag, TagKind

Fault = tuple[int, FaultError]
"""What is wrong, and the offset of its tag."""

# More is not helpful at once, and finding suggestions costs time.
_MOST_FAULTS = 20
_UNKNOWN = ResolvedReference(Root.UNKNOWN, "", 0, ())
_OF_BLOCKS = ("#", "/", "if", "else", "end", "range", "with")


class RecoveringParser(BlockParser):
    """Takes an empty value for each that cannot be read; ``faults`` says what is wrong."""

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.faults: list[Fault] = []

    def _add_tag(self, tag: Tag) -> None:
        try:
            super()._add_tag(tag)
        except FaultError as fault:
            if len(self.faults) >= _MOST_FAULTS:
                raise
            if tag.kind is not TagKind.VALUE or tag.content.strip().startswith(_OF_BLOCKS):
                raise
            self.faults.append((tag.start, fault))

    def _read(self, text: str) -> Expression:
        before = self._references
        try:
            return super()._read(text)
        except FaultError as fault:
            if len(self.faults) >= _MOST_FAULTS:
                raise
            self.faults.append((self.at, fault))
            self._references = before
            return Literal("")


class RecoveringLinker(Linker):
    """Links everything that can be linked; ``faults`` says what cannot."""

    def __init__(self, names: Names) -> None:
        super().__init__(names)
        self.faults: list[Fault] = []

    def link(self, template: Template) -> LinkedTemplate:
        """Return the linked template; a wrong name leads to what is unknown."""
        self._body(template.body, BlockScope())
        links = (self._links.get(number, _UNKNOWN) for number in range(template.references))
        return LinkedTemplate(template, tuple(links))

    def _expression(self, node: Expression, scope: BlockScope) -> None:
        if len(self.faults) >= _MOST_FAULTS:
            return
        try:
            super()._expression(node, scope)
        except FaultError as fault:
            self.faults.append((self.at, fault))
            if isinstance(node, FunctionCall):
                self._all(node.arguments, scope)
            elif isinstance(node, Pipe):
                for step in node.steps:
                    self._all(step.arguments if isinstance(step, FunctionCall) else (), scope)
