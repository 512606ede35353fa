"""Takes personal data and secrets out of a text before anything else sees it.

Responsible for what counts as a finding and what stands in its place. Standard library only, in time linear in the
length of the text. It does not know stores, events or who reads the text; docs/privacy.md says what it cannot find.
"""

from feedback.redaction.redacting import Redaction, redact

__all__ = ["Redaction", "redact"]
