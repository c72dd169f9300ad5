"""AWS clients: boto3's own credential chain, a profile or an assumed role, and what AWS's errors mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from msgspec import Struct

_HINTS = {
    "AccessDenied": "the credentials lack the permission that is named",
    "AccessDeniedException": "the credentials lack the permission that is named",
    "AuthorizationError": "the credentials lack the permission that is named",
    "ExpiredToken": "the credentials have expired: renew them, or use a role",
    "ExpiredTokenException": "the credentials have expired: renew them, or use a role",
    "InvalidAccessKeyId": "the access key is unknown: is it of this partition, and active?",
    "InvalidClientTokenId": "the access key is unknown: is it of this partition, and active?",
    "SignatureDoesNotMatch": "the secret key is wrong, or this machine's clock",
    "RequestTimeTooSkewed": "this machine's clock is wrong",
    "NoSuchBucket": "is the bucket's name right?",
    "PermanentRedirect": "the bucket lives in another region: set `region`",
    "AuthorizationHeaderMalformed": "the bucket lives in another region: set `region`",
    "AWS.SimpleQueueService.NonExistentQueue": "is the queue's URL right, and `region`?",
    "QueueDoesNotExist": "is the queue's URL right, and `region`?",
    "ResourceNotFoundException": "is the name right, and `region`?",
}


class AwsConfig(Struct, kw_only=True):
    """Settings of everything that talks to AWS.

    Attributes:
        profile: a profile of ~/.aws; without one boto3's usual chain is used.
        role_arn: a role to assume, with `external_id` when its trust policy asks for one.
        endpoint_url: another endpoint than AWS's own, such as a VPC endpoint or a local server.
    """

    region: str | None = None
    profile: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    endpoint_url: str | None = None


def client(service: str, config: AwsConfig, **options: Any) -> Any:
    """A client of one service; `options` are botocore's Config options."""
    import boto3
    from botocore.config import Config

    options.setdefault("retries", {"mode": "standard", "max_attempts": 5})
    session = boto3.Session(profile_name=config.profile, region_name=config.region)
    if config.role_arn:
        session = _assumed(session, config)
    return session.client(service, endpoint_url=config.endpoint_url, config=Config(**options))


def _assumed(session: Any, config: AwsConfig) -> Any:
    """A session with the role's credentials, which renew themselves."""
    import boto3
    import botocore.session
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

    extra = {"RoleSessionName": "trailsieve"}
    if config.external_id:
        extra["ExternalId"] = config.external_id
    endpoint = {"endpoint_url": config.endpoint_url} if config.endpoint_url else {}
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=lambda *args, **kwargs: session._session.create_client(
            *args, **{**kwargs, **endpoint}
        ),
        source_credentials=session.get_credentials(),
        role_arn=config.role_arn,
        extra_args=extra,
    )
    inner = botocore.session.Session()
    inner._credentials = DeferredRefreshableCredentials(
        method="assume-role", refresh_using=fetcher.fetch_credentials
    )
    return boto3.Session(botocore_session=inner, region_name=session.region_name)


@contextmanager
def explained(what: str, error: type[Exception]) -> Iterator[None]:
    """Turns what AWS or the network answered into `error`: what was tried, the answer, and what to do."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as refused:
        code = refused.response.get("Error", {}).get("Code", "")
        hint = _HINTS.get(code, "")
        raise error(f"{what}: {refused}{'; ' if hint else ''}{hint}") from None
    except BotoCoreError as failed:
        raise error(f"{what}: {failed}") from None
