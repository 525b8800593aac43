"""Reading DMN XML. What is not read is refused with its id and the reason, never passed over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from xml.etree import ElementTree as ET

from orchestration_pipelines.model import feel
from orchestration_pipelines.model.dmn.model import Column, DecisionTable, Model
from orchestration_pipelines.model.xml import XmlRefused, local, namespace, parse

NAMESPACES = frozenset(
    {
        "https://www.omg.org/spec/DMN/20191111/MODEL/",  # 1.3
        "https://www.omg.org/spec/DMN/20211108/MODEL/",  # 1.4
        "https://www.omg.org/spec/DMN/20230324/MODEL/",  # 1.5
    }
)
#: what a file may hold beside its decisions, without changing what they decide
BESIDE = frozenset(
    {
        "inputData",
        "knowledgeSource",
        "itemDefinition",
        "performanceIndicator",
        "organizationUnit",
        "elementCollection",
        "textAnnotation",
        "association",
        "group",
        "description",
        "extensionElements",
    }
)
POLICIES = frozenset({"UNIQUE", "FIRST", "COLLECT"})


class DmnRefused(ValueError):
    """A DMN file that does not run; the message lists every reason."""

    def __init__(self, name: str, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{name} is refused:\n" + "\n".join(f"  - {problem}" for problem in problems))


def load(path: str | Path) -> Model:
    """Read a DMN file."""
    return loads(Path(path).read_bytes(), Path(path).name)


def loads(content: bytes, name: str) -> Model:
    """Read DMN XML; :class:`DmnRefused` says everything that is wrong with it."""
    try:
        root = parse(content, name)
    except XmlRefused as error:
        raise DmnRefused(name, [str(error)]) from None
    if namespace(root) not in NAMESPACES:
        raise DmnRefused(name, [f"the namespace {namespace(root)!r} is not that of DMN 1.3, 1.4 or 1.5"])
    return _Reader(root, name, sha256(content).hexdigest()).model()


class _Reader:
    def __init__(self, root: ET.Element, name: str, digest: str) -> None:
        self._root, self._name, self._digest = root, name, digest
        self._in = "{" + namespace(root) + "}"
        self._problems: list[str] = []

    def model(self) -> Model:
        decisions: dict[str, DecisionTable] = {}
        for child in self._root:
            kind = local(child.tag)
            if kind == "decision":
                table = self._decision(child)
                name = child.get("name") or child.get("id") or ""
                if name in decisions:
                    self._problems.append(f"{child.get('id')}: a second decision is named {name!r}; give each its own")
                if table is not None:
                    decisions[name] = table
            elif namespace(child) == namespace(self._root) and kind not in BESIDE:
                self._problems.append(
                    f"{child.get('id')} ({child.get('name')}): a {kind} is not read yet; use a decision table"
                )
        self._problems.extend(self._languages())
        if not decisions and not self._problems:
            self._problems.append("it has no decision")
        if self._problems:
            raise DmnRefused(self._name, self._problems)
        return Model(self._digest, decisions)

    def _decision(self, decision: ET.Element) -> DecisionTable | None:
        where = f"{decision.get('id')} ({decision.get('name')})"
        table = decision.find(self._in + "decisionTable")
        if table is None:
            self._problems.append(f"{where}: only decision tables are read yet; turn its expression into a table")
            return None
        for needed in ("requiredDecision", "requiredKnowledge"):
            for found in decision.iter(self._in + needed):
                self._problems.append(
                    f"{where}: it needs {found.get('href')}, and what other decisions or functions give is not "
                    "read yet; make one table of them, or two steps of the process"
                )
        policy = table.get("hitPolicy", "UNIQUE")
        if policy not in POLICIES:
            self._problems.append(
                f"{where}: the hit policy {policy} is not read yet; use {', '.join(sorted(POLICIES))}"
            )
        if table.get("aggregation"):
            self._problems.append(
                f"{where}: the aggregation {table.get('aggregation')} is not read yet; use COLLECT without one"
            )
        rules = table.findall(self._in + "rule")
        inputs = table.findall(self._in + "input")
        outputs = table.findall(self._in + "output")
        ids = tuple(rule.get("id") or f"rule {number}" for number, rule in enumerate(rules, 1))
        columns = tuple(self._column(where, index, column, rules, ids) for index, column in enumerate(inputs))
        self._outputs(where, outputs)
        for rule, rule_id in zip(rules, ids, strict=True):
            if (entries := len(rule.findall(self._in + "inputEntry"))) != len(inputs):
                self._problems.append(f"{where} {rule_id}: it has {entries} input entries for {len(inputs)} inputs")
        names = tuple(output.get("name") for output in outputs)
        results = tuple(
            self._results(where, rule, rule_id, len(outputs)) for rule, rule_id in zip(rules, ids, strict=True)
        )
        return DecisionTable(policy, columns, names if len(names) > 1 else (None,), ids, results, self._digest)

    def _outputs(self, where: str, outputs: list[ET.Element]) -> None:
        if not outputs:
            self._problems.append(f"{where}: the table has no output")
        names = [output.get("name") for output in outputs]
        if len(outputs) > 1 and (None in names or len(set(names)) < len(names)):
            self._problems.append(f"{where}: several outputs need a name each, and have {names}")
        for output in outputs:
            if output.find(self._in + "defaultOutputEntry") is not None:
                self._problems.append(
                    f"{where}: a default output entry is not read yet; add a last rule of - only, policy FIRST"
                )

    def _languages(self) -> Iterator[str]:
        for element in self._root.iter():
            language = element.get("expressionLanguage", "")
            if language and "feel" not in language.lower():
                yield f"{element.get('id')}: its expressions are in {language}: write them in FEEL"

    def _column(
        self, where: str, index: int, column: ET.Element, rules: list[ET.Element], ids: tuple[str, ...]
    ) -> Column:
        text = (column.findtext(f"{self._in}inputExpression/{self._in}text") or "").strip()
        expression = self._read(f"{where} input {index + 1}", text, feel.compile)
        cells = []
        for rule, rule_id in zip(rules, ids, strict=True):
            entries = rule.findall(self._in + "inputEntry")
            written = (entries[index].findtext(self._in + "text") or "").strip() if index < len(entries) else ""
            cells.append(self._read(f"{where} {rule_id} input {index + 1}", written or "-", feel.unary_tests))
        return Column(text, expression, tuple(cells))

    def _results(self, where: str, rule: ET.Element, rule_id: str, outputs: int) -> tuple[feel.Expression, ...]:
        entries = rule.findall(self._in + "outputEntry")
        if len(entries) != outputs:
            self._problems.append(f"{where} {rule_id}: it has {len(entries)} output entries for {outputs} outputs")
        return tuple(
            self._read(
                f"{where} {rule_id} output {number}",
                (entry.findtext(self._in + "text") or "").strip() or "null",
                feel.compile,
            )
            for number, entry in enumerate(entries, 1)
        )

    def _read(self, where: str, text: str, read: Callable[[str], feel.Expression]) -> feel.Expression:
        try:
            return read(text)
        except feel.FeelError as error:
            self._problems.append(f"{where}: {error}")
            return feel.compile("null")
