#!/usr/bin/python3
"""A strict reader of KTAP version 1 (Documentation/dev-tools/ktap.rst of Linux).

usage: ktap.py [FILE]

Prints each test as `RESULT NAME`, its subtests indented below it, and a count; or, with
exit status 1, the first line that is against the specification.  Stricter than the kernel's
own readers: a plan is needed, unknown lines are not allowed."""

import re
import sys

RESULT = re.compile(r"(ok|not ok) ([1-9][0-9]*)(?: (?:- )?([^#]*?))?(?: # ?(.*))?")
DIRECTIVES = ("SKIP", "TODO", "XFAIL", "TIMEOUT", "ERROR")


class Wrong(Exception):
    pass


class Reader:
    def __init__(self, text):
        if text and not text.endswith("\n"):
            raise Wrong("the last line has no end")
        self.lines = text.split("\n")[:-1]
        self.at = 0
        self.tests = []

    def wrong(self, what):
        line = self.lines[self.at] if self.at < len(self.lines) else "the end"
        raise Wrong(f"line {self.at + 1}: {what}: {line}")

    def line_at(self, indent):
        """The line without its indentation; None: it stands at another level, or is the end."""
        if self.at == len(self.lines):
            return None
        line = self.lines[self.at]
        if not line.startswith(indent) or line.startswith(indent + " "):
            return None
        return line[len(indent):]

    def level(self, indent, path):
        """One version line, plan and its tests; whether all of them are ok."""
        if self.line_at(indent) != "KTAP version 1":
            self.wrong("expected a version line")
        self.at += 1
        plan = re.fullmatch(r"1\.\.(0|[1-9][0-9]*)", self.line_at(indent) or "")
        if not plan:
            self.wrong("expected a plan")
        self.at += 1
        good = True
        for number in range(1, int(plan[1]) + 1):
            good = self.test(indent, path, number) and good
        self.diagnostics(indent)
        if (self.line_at(indent) or "").startswith(("ok ", "not ok ")):
            self.wrong("more results than planned")
        return good

    def diagnostics(self, indent):
        while (self.line_at(indent) or "").startswith("#"):
            self.at += 1

    def test(self, indent, path, number):
        self.diagnostics(indent)
        place = len(self.tests)
        self.tests.append(None)
        sub_good = True
        inner = self.line_at(indent + "  ")
        if inner is not None:
            sub_good = self.level(indent + "  ", path + [number])
        self.diagnostics(indent)
        found = RESULT.fullmatch(self.line_at(indent) or "")
        if not found:
            self.wrong(f"expected result {number}")
        if int(found[2]) != number:
            self.wrong(f"expected number {number}")
        words = (found[4] or "").split()
        directive = words[0] if words and words[0] in DIRECTIVES else None
        good = found[1] == "ok"
        if good and not sub_good:
            self.wrong("it is ok, but a subtest of it is not")
        if directive in ("TIMEOUT", "ERROR") and good:
            self.wrong(f"ok with {directive}")
        result = directive.lower() if directive else "pass" if good else "fail"
        self.tests[place] = (path + [number], result, found[3] or "")
        self.at += 1
        return good or directive == "SKIP"

    def read(self):
        self.level("", [])
        if self.at != len(self.lines):
            self.wrong("what is this")
        return self.tests


def main():
    name = sys.argv[1] if len(sys.argv) > 1 else "-"
    stream = sys.stdin.buffer if name == "-" else open(name, "rb")
    try:
        tests = Reader(stream.read().decode("utf-8", "replace")).read()
    except Wrong as wrong:
        print(f"{name}: {wrong}", file=sys.stderr)
        return 1
    counts = {}
    for path, result, title in tests:
        if len(path) == 1:
            counts[result] = counts.get(result, 0) + 1
            print(result, title)
        else:
            print(" " * 2 * (len(path) - 1) + result, title)
    print(", ".join(f"{n} {result}" for result, n in sorted(counts.items())) or "no tests")
    return 0


if __name__ == "__main__":
    sys.exit(main())
