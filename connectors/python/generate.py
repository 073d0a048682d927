"""Writes src/logbook_producer/events.py: the types of the events, from openapi.yaml.

python generate.py            writes the file
python generate.py --check    exits with 1 when the file is stale
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
OUT = HERE / "src/logbook_producer/events.py"
ROOTS = ("NewAccessEvent", "NewApplicationEvent", "NewFrameworkEvent")
# The package fills these in.
OWN = {"log", "epoch", "sequence", "dedupe_key"}
HEAD = '''"""The events as Logbook takes them. Made from openapi.yaml by generate.py."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypedDict, Union
'''
NAMES = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None", "object": "dict[str, Any]"}


class Generator:
    def __init__(self, schemas: dict[str, Any]) -> None:
        self.schemas = schemas
        self.done: dict[str, str] = {}

    def text(self) -> str:
        for name in ROOTS:
            self.add(name)
        return HEAD + "".join(self.done.values())

    def add(self, name: str) -> None:
        """Adds a schema after those that it needs."""
        if name in self.done:
            return
        schema = self.schemas[name]
        if "oneOf" in schema:
            # A union is evaluated, so its members stand before it.
            members = ", ".join(self.type_of(member).strip('"') for member in schema["oneOf"])
            self.done[name] = f"\n\n{name} = Union[{members}]\n{quoted(schema.get('description', ''), '')}"
            return
        bases = []
        for part in schema.get("allOf", [schema]):
            if "$ref" in part:
                bases.append(self.type_of(part))
            else:
                bases += self.members(name, part)
        doc = quoted(schema.get("description", ""), "    ") or "    pass\n"
        classes = self.done.pop(name, "")
        self.done[name] = f"{classes}\n\nclass {name}({', '.join(bases)}):\n{doc}"

    def members(self, name: str, schema: dict[str, Any]) -> list[str]:
        """The classes of the members that an event must have, and of those that it may have. Python 3.10 has no Required."""
        required = {key: value for key, value in schema["properties"].items() if key in schema.get("required", ())}
        optional = {key: value for key, value in schema["properties"].items() if key not in required}
        classes = []
        for members, suffix, total in ((required, "Required", ""), (optional, "Optional", ", total=False")):
            members = {key: value for key, value in members.items() if name not in ROOTS or key not in OWN}
            if members:
                fields = "".join(self.field(key, value) for key, value in members.items())
                self.done[name] = self.done.pop(name, "") + f"\n\nclass _{name}{suffix}(TypedDict{total}):\n{fields}"
                classes.append(f"_{name}{suffix}")
        return classes

    def field(self, key: str, schema: dict[str, Any]) -> str:
        return f"    {key}: {self.type_of(schema)}\n{quoted(schema.get('description', ''), '    ')}"

    def type_of(self, schema: dict[str, Any]) -> str:
        if "$ref" in schema:
            name: str = schema["$ref"].rpartition("/")[2]
            self.add(name)
            return name
        if "oneOf" in schema:
            return " | ".join(self.type_of(member) for member in schema["oneOf"])
        if "enum" in schema:
            return f"Literal[{', '.join(map(repr_of, schema['enum']))}]"
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if not kinds:
            return "Any"
        if kinds == ["array"]:
            return f"list[{self.type_of(schema['items'])}]"
        names = [NAMES[kind] for kind in kinds]
        if schema.get("format") == "date-time":
            names.insert(1, "datetime")
        return " | ".join(names)


def repr_of(value: str) -> str:
    return f'"{value}"'


def quoted(text: str, indent: str) -> str:
    lines = " ".join(text.split())
    return f'{indent}"""{lines}"""\n' if lines else ""


def main() -> int:
    contract = yaml.load((HERE / "../../openapi.yaml").read_text(), yaml.CSafeLoader)
    text = Generator(contract["components"]["schemas"]).text()
    if "--check" not in sys.argv:
        OUT.write_text(text)
    elif OUT.read_text() != text:
        print(f"{OUT.name} is stale: run generate.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
