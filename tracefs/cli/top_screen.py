"""``tracefs top`` on a terminal, by textual."""

from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import DataTable, Footer, Static

from tracefs.cli.top import Watch
from tracefs.report.live import COLUMNS, Now, found, row, summary


def show(watch: Watch) -> None:
    """Show *watch* until somebody presses q."""
    Screen(watch).run()


class Screen(App[None]):
    """The totals, the files as a table, and the last findings."""

    CSS = "DataTable { height: 1fr; } #found { height: auto; color: $warning; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "quit", "quit")]

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch
        self.title = watch.name

    def compose(self) -> ComposeResult:
        """Yield the parts, from the top down."""
        yield Static(self.title, id="name", markup=False)
        yield Static("", id="summary", markup=False)
        yield DataTable(id="files", cursor_type="row")
        yield Static("", id="found", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Begin to follow, in a thread: reading waits for the recording."""
        self.query_one("#files", DataTable).add_columns(*COLUMNS)
        self.run_worker(
            lambda: self._watch.follow(lambda now: self.call_from_thread(self.tell, now)),
            thread=True,
        )

    def tell(self, now: Now) -> None:
        """Show one moment."""
        self.query_one("#summary", Static).update("\n".join(summary(now)))
        table: DataTable[str] = self.query_one("#files", DataTable)
        chosen = table.cursor_row
        table.clear()
        for file in now.files:
            table.add_row(*row(file))
        table.move_cursor(row=chosen)
        self.query_one("#found", Static).update("\n".join(found(now)))

    async def action_quit(self) -> None:
        """End, and the following with it."""
        self._watch.stopped = True
        self.exit()
