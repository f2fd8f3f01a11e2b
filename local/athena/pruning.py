"""Finds the conditions of a query that every row of a table scan must satisfy.

Pushes conditions inward through subqueries, CTEs, views, unions, groupings and the preserved side
of outer joins. A condition that cannot be proven is dropped, so a scan may read too much but never
too little.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection

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
        cte = query.parent
        if scope.is_cte and isinstance(cte, exp.CTE) and seen[cte.alias] != uses[cte.alias]:
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
        name: exp.or_(*(exp.and_(*conjuncts) for conjuncts in found[name]))
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
    for branch in branches:
        inner = branch.expression.named_selects if isinstance(branch.expression, exp.Query) else []
        pairs = zip(query.named_selects, map(exp.column, inner), strict=False)
        outputs: dict[str, exp.Expr] = {} if _limited(query) else dict(pairs)
        for conjuncts in outer:
            incoming.setdefault(id(branch), []).append(_substituted(conjuncts, outputs))


def _through_select(
    select: exp.Select,
    scope: Scope,
    outer: list[Conjuncts],
    incoming: dict[int, list[Conjuncts]],
    found: dict[str, list[Conjuncts]],
) -> None:
    where = select.args.get("where")
    own = _conjuncts(where.this) if where else []
    nullable, on = _joins(select, own)
    passable = _outputs(select)
    for conjuncts in outer:
        passed = own + _substituted(conjuncts, passable)
        for alias, (_, source) in scope.selected_sources.items():

            def about(atom: exp.Expr, alias: str = alias) -> bool:
                return all(column.table == alias for column in atom.find_all(exp.Column))

            candidates = on.get(alias, []) + ([] if alias in nullable else passed)
            local = [kept for one in candidates if (kept := weaken(one, about)) is not None]
            local = [
                _replaced(one, lambda column: exp.column(column.name))
                for one in local
                if one.find(exp.Column)
            ]
            if isinstance(source, exp.Table):
                found.setdefault(source.name, []).append(local)
            elif isinstance(source, Scope):
                incoming.setdefault(id(source), []).append(local)


def _conjuncts(condition: exp.Expr) -> Conjuncts:
    return list(condition.flatten()) if isinstance(condition, exp.And) else [condition]


def _limited(query: exp.Expr) -> bool:
    return bool(query.args.get("limit") or query.args.get("offset"))


def _joins(select: exp.Select, own: Conjuncts) -> tuple[set[str], dict[str, Conjuncts]]:
    """Sources whose rows an outer join may replace by NULLs; and conditions that ON puts on one.

    The conditions of inner joins are added to ``own``.
    """
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
        if condition is not None and side == "LEFT":
            on[alias] = _conjuncts(condition)
        elif condition is not None and side == "":
            own += _conjuncts(condition)
        seen.append(alias)
    return nullable, on


def _outputs(select: exp.Select) -> dict[str, exp.Expr]:
    """Output columns by name through which a condition may move inside."""
    group = select.args.get("group")
    sets = ("cube", "rollup", "grouping_sets", "all")
    if _limited(select) or (group is not None and any(group.args.get(kind) for kind in sets)):
        return {}
    aggregated = group is not None or any(
        not isinstance(node.parent, (exp.Window, exp.Filter))
        for projection in select.selects
        for node in projection.find_all(exp.AggFunc)
    )
    keys = group.expressions if group is not None else []
    windows = list(select.find_all(exp.Window))
    return {
        projection.alias_or_name: inner
        for projection in select.selects
        if (inner := projection.unalias()) in keys or not aggregated
        if not inner.find(exp.AggFunc, exp.Window, exp.Query)
        if all(inner in (window.args.get("partition_by") or []) for window in windows)
    }


def _substituted(conjuncts: Conjuncts, outputs: dict[str, exp.Expr]) -> Conjuncts:
    """The conditions on what the outputs are made of, as far as they are about outputs."""

    def known(atom: exp.Expr) -> bool:
        return all(column.name in outputs for column in atom.find_all(exp.Column))

    kept = (weaken(one, known) for one in conjuncts)
    return [_replaced(one, lambda column: outputs[column.name].copy()) for one in kept if one]


def _replaced(condition: exp.Expr, new: Callable[[exp.Column], exp.Expr]) -> exp.Expr:
    """The condition with other columns."""
    return condition.copy().transform(
        lambda node: new(node) if isinstance(node, exp.Column) else node
    )
