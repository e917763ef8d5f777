"""What people have to do: tasks that rooms open by a cause and close when it is gone."""

from app.tasks.model import Task
from app.tasks.service import close_task, figures, open_task, open_tasks
from app.tasks.states import State

__all__ = ["State", "Task", "close_task", "figures", "open_task", "open_tasks"]
