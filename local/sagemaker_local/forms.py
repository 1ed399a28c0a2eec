"""Forms that browsers post."""

from collections.abc import Mapping
from email.message import EmailMessage, MIMEPart
from email.parser import BytesParser
from email.policy import HTTP


def posted_form(headers: Mapping[str, str], body: bytes) -> dict[str, str]:
    """Return the fields of a `multipart/form-data` body by their names in lower case; of a file, its name.

    What is no such body has no fields.
    """
    content_type = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    if not content_type.startswith("multipart/form-data"):
        return {}
    message = BytesParser(EmailMessage, policy=HTTP).parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    return dict(_field(part) for part in message.iter_parts())


def signed_by(form: Mapping[str, str]) -> str:
    """Return the access key that signed an upload form, in either version of signatures; empty for none."""
    return form.get("x-amz-credential", form.get("awsaccesskeyid", "")).partition("/")[0]


def _field(part: MIMEPart) -> tuple[str, str]:
    name = str(part.get_param("name", "", header="content-disposition")).lower()
    filename = part.get_filename()
    if filename is not None:
        return name, filename
    content = part.get_payload(decode=True)
    return name, content.decode("utf-8", "replace") if isinstance(content, bytes) else ""
