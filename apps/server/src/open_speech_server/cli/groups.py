"""Groups of commands about one noun."""

from __future__ import annotations

import click


class ListByDefault(click.Group):
    """A group that means its command ``list`` where none is named."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``list`` in front of nothing, and of options that are not the group's own."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)
