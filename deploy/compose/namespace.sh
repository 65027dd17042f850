#!/bin/sh
# Make namespace $1 with PAO's search attributes and retention, or give it what it lacks.
set -eu
namespace=$1
temporal operator namespace describe --namespace "$namespace" > /dev/null 2>&1 ||
    temporal operator namespace create --namespace "$namespace" --retention 720h
# A new namespace is known everywhere after a few seconds.
until known=$(temporal operator search-attribute list --namespace "$namespace" 2> /dev/null); do
    sleep 1
done
for name in PaoItem PaoStatus PaoRequester PaoTeam PaoCorrelationId; do
    case $known in
        *"$name"*) ;;
        *) temporal operator search-attribute create --namespace "$namespace" --name "$name" --type Keyword ;;
    esac
done
