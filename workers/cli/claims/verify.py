"""`spotclaim verify`: explains the verdict that a claim would get now."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from adapters.policy.reader import load_policy
from domain.claims.sla import by_policy
from domain.eligibility.evaluation import EvaluationInput
from domain.eligibility.rules import evidence_deadline, judge
from domain.policy.policy import Policy
from workers.bootstrap.app import App
from workers.cli.application import claim_named, existing
from workers.cli.options import ClaimArgument, DataOption, JsonOption


def add_to(app: typer.Typer) -> None:
    """Adds the commands of this module."""
    app.command()(verify)


def verify(
    claim_id: ClaimArgument,
    data: DataOption = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show the facts that each rule used.")] = False,
    policy: Annotated[Path | None, typer.Option(help="Evaluate by this policy instead.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what verification would find of a claim now, rule by rule. Changes nothing."""
    other = load_policy(policy) if policy else None
    with existing(data) as app:
        now, row = app.clock(), claim_named(app, claim_id)
        case, rules = _case(app, row["id"], other)
        verdict = judge(case, rules, now)
    if as_json:
        typer.echo(orjson.dumps(_verdict_json(case, rules, verdict, now), option=orjson.OPT_INDENT_2).decode())
        return
    _print(case, rules, verdict, with_facts=explain)


def _case(app: App, claim_id: str, other: Policy | None) -> tuple[EvaluationInput, Policy]:
    """Reads the claim's evaluation input and its policy, or the other policy."""
    base = app.foundation
    with app.store.transaction() as transaction:
        claims = transaction.claims([claim_id])
        [(bound, _)] = by_policy(claims, base.policy, base.policies)
        [case] = transaction.cases(claims, other or bound)
    return case, other or bound


def _verdict_json(case: EvaluationInput, policy: Policy, verdict: dict[str, Any], now: datetime) -> dict[str, Any]:
    claim = case.claim
    return {
        "claim": claim.id,
        "number": claim.number,
        "status": claim.status,
        "policy": policy.version,
        "verdict": verdict,
        "verdict_on_record": case.verdict,
        "evidence_deadline": evidence_deadline(claim, policy, now).isoformat(),
    }


def _print(case: EvaluationInput, policy: Policy, verdict: dict[str, Any], *, with_facts: bool) -> None:
    claim = case.claim
    console = Console(width=None if Console().is_terminal else 160, soft_wrap=False)
    table = Table("Answer", "Rule", "Reason", "Why", box=None, pad_edge=False)
    for answer in verdict["answers"]:
        table.add_row(answer["result"], answer["rule"], answer["reason"], answer["sentence"])
        if with_facts:
            for line in _facts(answer["facts"]):
                table.add_row("", "", "", f"  {line}", style="dim")
    console.print(f"Claim {claim.name}: {claim.code} on spot {claim.spot_id}", highlight=False, markup=False)
    console.print(table, markup=False)
    on_record = case.verdict["outcome"] if case.verdict else "none yet"
    console.print(
        f"Now, by policy {policy.version}: {verdict['outcome']}. On record: {on_record}. Nothing was changed.",
        highlight=False,
    )


def _facts(facts: dict[str, Any]) -> list[str]:
    """Formats one line for each fact; those of another record have its name before them."""
    lines = []
    for name, value in facts.items():
        if isinstance(value, dict):
            lines += [f"{name}: {line}" for line in _facts(value)]
        elif value is not None and value != []:
            shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            lines.append(f"{name.replace('_', ' ')} {shown}")
    return lines
