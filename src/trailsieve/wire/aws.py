"""AWS clients with boto3's credential chain, a profile or an assumed role, and the meaning of AWS errors."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from msgspec import Meta, Struct, structs

from trailsieve import arn
from trailsieve.secret import Secret

Fault = Literal["gone", "refused", "credentials", "later", "wrong"]

_PERMISSION = "the credentials lack the permission"
_EXPIRED = "the credentials have expired: renew them, or use a role"
_UNKNOWN_KEY = "the access key is unknown: is it active, and of this partition?"
_SECRET = "the secret key or this machine's clock is wrong"
_REGION = "the bucket is in another region: set `region`"
_QUEUE = "is the queue's URL right, and `region`?"
_HINTS = {
    "NoCredentialsError": "set AWS_PROFILE, `profile` or AWS_ACCESS_KEY_ID, or give this machine a role",
    "NoRegionError": "set `region` or AWS_REGION",
    "EndpointConnectionError": "is the endpoint right, and can this machine reach it?",
    "AccessDenied": _PERMISSION,
    "AccessDeniedException": _PERMISSION,
    "AuthorizationError": _PERMISSION,
    "403": "the credentials lack a permission",
    "ExpiredToken": _EXPIRED,
    "ExpiredTokenException": _EXPIRED,
    "InvalidAccessKeyId": _UNKNOWN_KEY,
    "InvalidClientTokenId": _UNKNOWN_KEY,
    "UnrecognizedClientException": _UNKNOWN_KEY,
    "SignatureDoesNotMatch": _SECRET,
    "InvalidSignatureException": _SECRET,
    "RequestTimeTooSkewed": "this machine's clock is wrong",
    "NoSuchBucket": "is the bucket's name right?",
    "PermanentRedirect": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "IllegalLocationConstraintException": _REGION,
    "AWS.SimpleQueueService.NonExistentQueue": _QUEUE,
    "QueueDoesNotExist": _QUEUE,
    "KMSAccessDeniedException": "the credentials need kms:Decrypt on the key that encrypts it",
    "ResourceNotFoundException": "is the name right, and `region`?",
    "NotFound": "is the ARN right, and `region`?",
    "InvalidObjectState": "it is archived in Glacier: restore it first",
}
_GONE = {"NoSuchKey", "404", "NoSuchVersion", "InvalidObjectState", "NoSuchBucket"}
_CREDENTIALS = {code for code, hint in _HINTS.items() if hint in (_EXPIRED, _UNKNOWN_KEY, _SECRET)} | {
    "RequestTimeTooSkewed",
    "InvalidToken",
    "TokenRefreshRequired",
}
# Each service has its own spelling: SlowDown (S3), OverLimit (SQS), LimitExceededException (Kinesis).
_RETRYABLE = re.compile(
    r"Throttl|SlowDown|Internal|Unavailable|Limit|ThroughputExceeded|Timeout|Busy", re.IGNORECASE
)


_REGION_NAME = re.compile(r"[a-z]{2,3}(-[a-z]+)+-\d")


REQUEST_SECONDS = 300.0  # seconds for a request and its body


_QUEUE_URL = "a queue's URL, such as https://sqs.eu-west-1.amazonaws.com/111122223333/trail"
QueueUrl = Annotated[str, Meta(pattern=r"^https?://[^/]+/.", description=_QUEUE_URL)]


class AwsConfig(Struct, kw_only=True):
    """Settings shared by everything that uses AWS.

    Attributes:
        region: default: the one in the URL or ARN of what is used, then AWS_REGION, then the profile's.
        profile: a profile of ~/.aws; the default is boto3's credential chain.
        role_arn: a role to assume.
        external_id: the external id that its trust policy requires.
        endpoint_url: another endpoint than the default, such as a VPC endpoint or a local server.
        sts_endpoint_url: the same for STS.
    """

    region: str | None = None
    profile: str | None = None
    role_arn: str | None = None
    external_id: Secret | None = None
    endpoint_url: str | None = None
    sts_endpoint_url: str | None = None


C = TypeVar("C", bound=AwsConfig)


def in_region_of(config: C, name: str) -> C:
    """The settings with the region in an ARN or in the URL of an AWS service, unless they have a region."""
    return config if config.region else structs.replace(config, region=region_in(name))


def region_in(name: str) -> str | None:
    """The region in an ARN or in the host name of an AWS service; None if there is none."""
    host = urlsplit(name if "//" in name else f"//{name}").hostname or ""
    labels = host.split(".") if re.search(r"\.(amazonaws\.com(\.cn)?|api\.aws)$", host) else []
    return arn.parse(name).region or next(filter(_REGION_NAME.fullmatch, labels), None)


def client(service: str, config: AwsConfig, within: float = REQUEST_SECONDS, **options: Any) -> Any:
    """A boto3 client, each of whose requests ends `within` seconds; `options` are botocore's."""
    from botocore.config import Config

    options.setdefault("retries", {"mode": "standard", "max_attempts": 5})
    made = session(config).client(service, endpoint_url=config.endpoint_url, config=Config(**options))
    _limit(made, within)
    return made


def _limit(client: Any, seconds: float) -> None:
    """Ends each request of a client, its retries apart, and the reading of its body after some seconds.

    botocore has timeouts for a connection and for each read only, and no public way to set the connections.
    """
    from botocore.awsrequest import AWSHTTPConnectionPool, AWSHTTPSConnectionPool

    from trailsieve.wire.deadline import begin, limited_pools

    pools = client._endpoint.http_session._pool_classes_by_scheme
    pools.update(limited_pools(AWSHTTPConnectionPool, AWSHTTPSConnectionPool))
    client.meta.events.register("before-send", lambda **_: begin(seconds))


def session(config: AwsConfig) -> Any:
    """A boto3 session with the configured credentials."""
    import boto3

    # Of the AWS SDKs, only boto3 knows AWS_DEFAULT_REGION alone.
    region = config.region or os.environ.get("AWS_REGION") or None
    plain = boto3.Session(profile_name=config.profile, region_name=region)
    return _assumed(plain, config) if config.role_arn else plain


def _assumed(session: Any, config: AwsConfig) -> Any:
    """A session with the role's credentials, which are refreshed automatically."""
    import boto3
    import botocore.session
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

    extra = {"RoleSessionName": "trailsieve"}
    if config.external_id:
        extra["ExternalId"] = config.external_id
    # An AWS endpoint belongs to one service; a local server may stand in for all of them.
    local = config.endpoint_url if "amazonaws.com" not in (config.endpoint_url or "") else None
    url = config.sts_endpoint_url or local
    endpoint = {"endpoint_url": url} if url else {}
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
    """Raises AWS and network errors as `error`: what was tried, the response, and what to do."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except (ClientError, BotoCoreError, ResponseParserError) as failed:
        raise error(f"{what}: {explain(failed)}") from None


def explain(error: Exception) -> str:
    """The error message, with a hint on what to do."""
    hint = _HINTS.get(_code(error) or type(error).__name__, "")
    return f"{error}{'; ' if hint else ''}{hint}"


def fault(error: Exception) -> Fault:
    """The kind of a boto3 error.

    `gone`: the object does not exist; `refused`: a permission is missing; `credentials`: nothing works until
    somebody fixes them; `later`: network trouble or throttling; `wrong`: the request can never succeed.
    """
    from botocore import exceptions as known
    from botocore.parsers import ResponseParserError

    if isinstance(error, known.ClientError):
        return _fault_of(_code(error), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if isinstance(
        error,
        (
            known.NoCredentialsError,
            known.PartialCredentialsError,
            known.CredentialRetrievalError,
            known.TokenRetrievalError,
            known.SSOError,
        ),
    ):
        return "credentials"
    network = (
        ResponseParserError,  # a proxy's or load balancer's own answer, such as an empty 503
        known.ConnectionError,
        known.HTTPClientError,
        known.IncompleteReadError,
        known.FlexibleChecksumError,
    )
    return "later" if isinstance(error, (*network, OSError)) else "wrong"


def is_retryable(code: str) -> bool:
    """Whether an error code of AWS means that the same request may succeed later."""
    return _RETRYABLE.search(code) is not None


def _fault_of(code: str, status: int) -> Fault:
    if code in _GONE:
        return "gone"
    if code in _CREDENTIALS:
        return "credentials"
    if status in (401, 403) or _HINTS.get(code) == _PERMISSION or code.startswith("KMS."):
        return "refused"
    if status >= 500 or status == 429 or is_retryable(code):
        return "later"
    return "wrong"


def _code(error: Exception) -> str:
    response: dict[str, Any] = getattr(error, "response", None) or {}  # of a broken connection it is None
    return str(response.get("Error", {}).get("Code", ""))
