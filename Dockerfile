# The image of PAO: one for the API, the worker and every command.
#
#   docker build --build-arg PAO_GIT_SHA=$(git rev-parse HEAD) --tag pao .
#   docker build --target dev --tag pao-dev .          # with the stand-ins for JIRA and GitHub
#
# Behind a package index of your own, give pip its configuration: --secret id=pip,src=pip.conf
# How it is built, run and checked without Docker: make image-test.

# Any Debian with Python 3.11 or newer and its venv module will do. By digest: a tag may move.
ARG BASE=docker.io/library/python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b

FROM ${BASE} AS build
# pip is no part of the image: it installs from outside into an environment without it.
# Certificates that the base trusts count for npm as well.
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
RUN python3 -m venv /opt/tools && python3 -m venv --without-pip /opt/pao
WORKDIR /source
COPY deploy/requirements.lock deploy/image/tools.lock deploy/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    /opt/tools/bin/pip install --quiet --no-cache-dir --require-hashes --requirement deploy/tools.lock \
 && /opt/tools/bin/pip --python /opt/pao/bin/python install --quiet --no-cache-dir --no-compile \
      --require-hashes --requirement deploy/requirements.lock
COPY . .
RUN --mount=type=secret,id=pip,target=/etc/pip.conf \
    /opt/tools/bin/pip wheel --quiet --no-cache-dir --no-deps --no-build-isolation --wheel-dir dist . \
 && /opt/tools/bin/pip --python /opt/pao/bin/python install --quiet --no-deps --no-index --no-compile dist/*.whl \
 # The root may be read-only, so nothing can be compiled later; and modification times say nothing.
 && /opt/pao/bin/python -m compileall -q -f -j 0 --invalidation-mode unchecked-hash /opt/pao/lib

FROM ${BASE} AS base
RUN apt-get update \
 # git: sources of Terraform modules. tini: reaps what actions leave behind.
 && apt-get install --yes --no-install-recommends ca-certificates git tini \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/cache/debconf /var/log/* \
 && groupadd --gid 10001 pao \
 && useradd --uid 10001 --gid 10001 --no-log-init --no-create-home --home-dir /var/lib/pao \
      --shell /usr/sbin/nologin pao \
 && install --directory --owner 10001 --group 10001 --mode 700 /var/lib/pao \
 && find / -xdev -type f -perm /6000 -exec chmod a-s {} +
COPY --from=build /opt/pao /opt/pao

FROM base AS bill
COPY --from=build /opt/tools /opt/tools
COPY deploy/image/bill.py /
RUN /opt/tools/bin/python /bill.py /opt/pao/bin/python > /sbom.cdx.json

FROM base AS image
COPY --from=bill /sbom.cdx.json /usr/share/pao/sbom.cdx.json
ARG PAO_GIT_SHA=
ARG PAO_BUILD_TIME=
ENV PATH=/opt/pao/bin:/usr/local/bin:/usr/bin:/bin \
    HOME=/var/lib/pao \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PAO_HOST=0.0.0.0 \
    WORKER_METRICS_HOST=0.0.0.0 \
    WORKER_METRICS_PORT=9465 \
    PAO_GIT_SHA=${PAO_GIT_SHA} \
    PAO_BUILD_TIME=${PAO_BUILD_TIME}
LABEL org.opencontainers.image.title="Platform Automation Orchestrator" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.revision="${PAO_GIT_SHA}" \
      org.opencontainers.image.created="${PAO_BUILD_TIME}"
# By number, so that Kubernetes can see that it is not root.
USER 10001:10001
WORKDIR /var/lib/pao
EXPOSE 8080 9465
ENTRYPOINT ["tini", "--", "pao"]
CMD ["api"]

FROM image AS dev
COPY sandbox /opt/pao/stand-ins/sandbox
COPY examples/catalog /usr/share/pao/catalog
ENV PYTHONPATH=/opt/pao/stand-ins

# What is built unless --target says otherwise.
FROM image AS runtime
