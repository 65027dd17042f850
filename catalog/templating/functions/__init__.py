"""The language's functions, one line each. They are also its only filters."""

from catalog.templating.functions import encodings, generation, lists, printf, texts
from catalog.templating.functions.registry import Function, FunctionContext, OptionalArguments

__all__ = ["FUNCTIONS", "LAZY", "TESTS", "Function", "FunctionContext", "OptionalArguments"]

# These decide which of their arguments are evaluated, so the renderer itself runs them.
LAZY = frozenset({"and", "or", "not"})
TESTS = ("defined", "undefined", "none", "string", "number", "boolean", "mapping", "sequence")


def _lazy(_: FunctionContext, *values: object) -> object:
    raise NotImplementedError(len(values))


FUNCTIONS: dict[str, Function] = {
    # Texts
    "upper": Function(texts.upper, 1, 1),
    "lower": Function(texts.lower, 1, 1),
    "trim": Function(texts.trim, 1, 1),
    "title": Function(texts.title, 1, 1),
    "concat": Function(texts.concat, 1, None, literal_first=True),
    "replace": Function(texts.replace, 3, 3),
    "split": Function(texts.split, 2, 2),
    "join": Function(texts.join, 1, 2),
    "truncate": Function(texts.truncate, 2, 3),
    "matches": Function(texts.matches, 2, 2),
    "slugify": Function(texts.slugify, 1, 1),
    "sanitize": Function(texts.sanitize, 1, 1),
    "string": Function(texts.string, 1, 1),
    "printf": Function(printf.printf, 1, None, literal_first=True),
    # Formats
    "json": Function(encodings.to_json, 1, 2),
    "tojson": Function(encodings.to_json, 1, 2),
    "yaml": Function(encodings.to_yaml, 1, 1),
    "base64": Function(encodings.to_base64, 1, 1),
    "base64decode": Function(encodings.from_base64, 1, 1),
    "url": Function(encodings.to_url, 1, 1),
    "urlencode": Function(encodings.to_url, 1, 1),
    "jiraEscape": Function(encodings.to_wiki, 1, 1),
    "hash": Function(encodings.digest, 1, 2),
    # Generated
    "uuid": Function(generation.uuid, 0, 1),
    "timestamp": Function(generation.timestamp, 0, 0),
    "date": Function(generation.date, 1, 2),
    "random": Function(generation.random, 2, 3),
    # Choices
    "default": Function(lists.default, 2, 2, structural=True, optional=OptionalArguments.FIRST),
    "coalesce": Function(
        lists.coalesce, 1, None, structural=True, optional=OptionalArguments.ALL, literal_first=True
    ),
    "required": Function(lists.required, 1, 2, structural=True, optional=OptionalArguments.FIRST),
    # Comparisons
    "eq": Function(lists.equals, 2, None, literal_first=True),
    "ne": Function(lists.differs, 2, 2, literal_first=True),
    "lt": Function(lists.less, 2, 2, literal_first=True),
    "le": Function(lists.less_or_equal, 2, 2, literal_first=True),
    "gt": Function(lists.greater, 2, 2, literal_first=True),
    "ge": Function(lists.greater_or_equal, 2, 2, literal_first=True),
    "and": Function(_lazy, 1, None, literal_first=True),
    "or": Function(_lazy, 1, None, literal_first=True),
    "not": Function(_lazy, 1, 1),
    "contains": Function(lists.contains, 2, 2),
    # Lists, mappings and numbers
    "len": Function(lists.length, 1, 1),
    "length": Function(lists.length, 1, 1),
    "index": Function(lists.index, 2, None, structural=True),
    "lookup": Function(lists.index, 2, None, structural=True),
    "first": Function(lists.first, 1, 1, structural=True),
    "last": Function(lists.last, 1, 1, structural=True),
    "sort": Function(lists.sort, 1, 1),
    "unique": Function(lists.unique, 1, 1),
    "items": Function(lists.items, 1, 1, structural=True),
    "int": Function(lists.integer, 1, 1),
}
