"""What people call apps: Chinese labels by package, from the policy `app_labels` with its layers (R03)."""

from app.labels.rules import MAX_LABEL, is_package, label_of, name_of
from app.labels.service import SUBJECT, Scope, labels_among, labels_for, name_app

__all__ = [
    "MAX_LABEL",
    "SUBJECT",
    "Scope",
    "is_package",
    "label_of",
    "labels_among",
    "labels_for",
    "name_app",
    "name_of",
]
