"""How a delivery is answered: what people see in the forge's list of deliveries."""

from pydantic import Field

from api.schemas import ResponseBody


class WebhookAccepted(ResponseBody):
    """Something follows from the delivery."""

    accepted: bool = True


class WebhookIgnored(ResponseBody):
    """The delivery is genuine, and nothing follows from it."""

    ignored: str = Field(description="Why, such as `another branch or tag`")


ACCEPTED = WebhookAccepted()
IGNORED = WebhookIgnored(ignored="another branch or tag")
