"""Finds the conditions of a query that every row of a table scan must satisfy.

Pushes conditions inward through subqueries, CTEs, views, unions, groupings and the preserved side
of outer joins. A condition that cannot be proven is dropped, so a scan may read too much but never
too little.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

Conjuncts = list[exp.Expr]


def conditions(tree: exp.Expr, scans: Collection[str]) -> dict[str, exp.Expr]:
    """Per scan (the table's name), what its rows must satisfy.

    Parameters
    ----------
    tree:
        A qualified query; each scan's name occurs once in it.

    Returns
    -------
    Conditions on columns without a table. A scan of which all rows matter is absent.
    """
    found: dict[str, list[Conjuncts]] = {}
    incoming: dict[int, list[Conjuncts]] = {}
    uses = Counter(table.name for table in tree.find_all(exp.Table))
    seen: Counter[str] = Counter()
    for scope in reversed(traverse_scope(tree)):  # users before what they use
        outer = incoming.get(id(scope)) or [[]]
        query = scope.expression
        if scope.is_cte and isinstance(query.parent, exp.CTE):
            with_ = query.parent.parent
            recursive = with_ is not None and with_.args.get("recursive")
            if recursive or seen[query.parent.alias] != uses[query.parent.alias]:
                outer = [[]]  # somebody else may need its other rows
        if isinstance(query, exp.SetOperation):
            _through_union(query, scope.set_operation_scopes, outer, incoming)
        elif isinstance(query, exp.Select):
            _through_select(query, scope, outer, incoming, found)
            seen.update(
                node.name
                for node, _ in scope.selected_sources.values()
                if isinstance(node, exp.Table)
            )
    return {
        name: _or(_and(conjuncts) for conjuncts in found[name])
        for name in scans
        if name in found and all(found[name])
    }


def weaken(condition: exp.Expr, keep: Callable[[exp.Expr], bool]) -> exp.Expr | None:
    """``condition`` without the parts that ``keep`` refuses; true wherever it is. None is TRUE."""
    if isinstance(condition, exp.Paren):
        return weaken(condition.this, keep)
    if isinstance(condition, (exp.And, exp.Or)):
        left, right = weaken(condition.left, keep), weaken(condition.right, keep)
        if isinstance(condition, exp.And):
            return exp.and_(left, right) if left and right else left or right
        return exp.or_(left, right) if left and right else None
    if condition.find(exp.Query, exp.AggFunc, exp.Window, exp.Rand):
        return None
    return condition if keep(condition) else None


def _through_union(
    query: exp.SetOperation,
    branches: list[Scope],
    outer: list[Conjuncts],
    incoming: dict[int, list[Conjuncts]],
) -> None:
    blocked = query.args.get("limit") or query.args.get("offset")
    for branch in branches:
        inner = branch.expression.named_selects if isinstance(branch.expression, exp.Query) else []
        renamed = dict(zip(query.named_selects, inner, strict=False))
        for conjuncts in outer:
            passed = [] if blocked else [_rename(one, renamed.get) for one in conjuncts]
            incoming.setdefault(id(branch), []).append([one for one in passed if one])


def _through_select(
    select: exp.Select,
    scope: Scope,
    outer: list[Conjuncts],
    incoming: dict[int, list[Conjuncts]],
    found: dict[str, list[Conjuncts]],
) -> None:
    where = select.args.get("where")
    own = list(where.this.flatten()) if where and isinstance(where.this, exp.And) else []
    own = own or ([where.this] if where else [])
    nullable, on = _joins(select, own)
    passable = _outputs(select)
    for conjuncts in outer:
        passed = [one for c in conjuncts if (one := _substitute(c, passable))]
        for alias, (_, source) in scope.selected_sources.items():

            def about(atom: exp.Expr, alias: str = alias) -> bool:
                return all(column.table == alias for column in atom.find_all(exp.Column))

            candidates = on.get(alias, []) + ([] if alias in nullable else own + passed)
            local = [kept for c in candidates if (kept := weaken(c, about)) is not None]
            local = [_unqualify(one) for one in local if one.find(exp.Column)]
            if isinstance(source, exp.Table):
                found.setdefault(source.name, []).append(local)
            elif isinstance(source, Scope):
                incoming.setdefault(id(source), []).append(local)


def _joins(select: exp.Select, own: Conjuncts) -> tuple[set[str], dict[str, Conjuncts]]:
    """Sources whose rows an outer join may replace by NULLs; and conditions that ON puts on one."""
    origin = select.args.get("from_") or select.args.get("from")
    seen = [origin.this.alias_or_name] if origin else []
    nullable: set[str] = set()
    on: dict[str, Conjuncts] = {}
    for join in select.args.get("joins") or []:
        side, alias, condition = join.side, join.this.alias_or_name, join.args.get("on")
        if side in ("LEFT", "FULL"):
            nullable.add(alias)
        if side in ("RIGHT", "FULL"):
            nullable.update(seen)
        if condition is not None and side != "FULL":
            parts = list(condition.flatten()) if isinstance(condition, exp.And) else [condition]
            if side == "LEFT":
                on[alias] = parts
            elif side == "":
                own += parts
        seen.append(alias)
    return nullable, on


def _outputs(select: exp.Select) -> dict[str, exp.Expr]:
    """Output columns by name through which a condition may move inside."""
    if select.args.get("limit") or select.args.get("offset"):
        return {}
    group = select.args.get("group")
    aggregated = group is not None or any(
        isinstance(node, exp.AggFunc) and not isinstance(node.parent, (exp.Window, exp.Filter))
        for projection in select.selects
        for node in projection.find_all(exp.AggFunc)
    )
    if group is not None and any(
        group.args.get(kind) for kind in ("cube", "rollup", "grouping_sets", "all")
    ):
        return {}
    keys = group.expressions if group is not None else []
    windows = list(select.find_all(exp.Window))
    found = {}
    for projection in select.selects:
        inner = projection.unalias()
        if aggregated and inner not in keys:
            continue
        if inner.find(exp.AggFunc, exp.Window, exp.Query):
            continue
        if all(inner in (window.args.get("partition_by") or []) for window in windows):
            found[projection.alias_or_name] = inner
    return found


def _substitute(condition: exp.Expr, outputs: dict[str, exp.Expr]) -> exp.Expr | None:
    def known(atom: exp.Expr) -> bool:
        return all(column.name in outputs for column in atom.find_all(exp.Column))

    kept = weaken(condition, known)
    if kept is None:
        return None
    return kept.copy().transform(
        lambda node: outputs[node.name].copy() if isinstance(node, exp.Column) else node
    )


def _rename(condition: exp.Expr, new_name: Callable[[str], str | None]) -> exp.Expr | None:
    kept = weaken(condition, lambda atom: all(new_name(c.name) for c in atom.find_all(exp.Column)))
    return kept and kept.copy().transform(
        lambda node: (
            exp.column(new_name(node.name) or node.name) if isinstance(node, exp.Column) else node
        )
    )


def _unqualify(condition: exp.Expr) -> exp.Expr:
    return condition.copy().transform(
        lambda node: exp.Column(this=node.this.copy()) if isinstance(node, exp.Column) else node
    )


def _and(conjuncts: Conjuncts) -> exp.Expr:
    return exp.and_(*conjuncts)


def _or(parts: Iterable[exp.Expr]) -> exp.Expr:
    return exp.or_(*parts)
