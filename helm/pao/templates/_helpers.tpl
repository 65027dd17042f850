{{- define "pao.fullname" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "pao.selector" -}}
app.kubernetes.io/name: pao
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "pao.labels" -}}
{{ include "pao.selector" . }}
app.kubernetes.io/part-of: pao
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "pao.image" -}}
{{- with .Values.image -}}
{{- $repository := required "image.repository: missing; the image is built from the Dockerfile" .repository -}}
{{- if .digest }}{{ $repository }}@{{ .digest }}{{ else }}{{ $repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* Temporal takes 63 characters at most: of a digest, what tells images apart; of a tag, its end. */}}
{{- define "pao.buildId" -}}
{{- .Values.rollout.buildId | default (.Values.image.digest | trimPrefix "sha256:" | trunc 32) | default (.Values.image.tag | trunc -63) | default .Chart.AppVersion }}
{{- end }}

{{/* Where the pods of one part, or a job of it, may run. */}}
{{- define "pao.placement" -}}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* A value as text. Helm reads every number as a float, and would write a million as 1e+06. */}}
{{- define "pao.text" -}}
{{- if and (kindIs "float64" .) (eq . (floor .)) }}{{ int64 . }}{{ else }}{{ toString . }}{{ end }}
{{- end }}

{{/* A list of variables: settings that are not empty, then the files of secrets. */}}
{{- define "pao.environment" -}}
{{- range $name, $value := .settings }}
{{- if not (or (kindIs "invalid" $value) (eq (toString $value) "")) }}
- {name: {{ $name }}, value: {{ include "pao.text" $value | quote }}}
{{- end }}
{{- end }}
{{- if .secrets.existingSecret }}
{{- range .secrets.names }}
- {name: {{ . }}_FILE, value: /secrets/{{ . }}}
{{- end }}
{{- end }}
{{- end }}

{{- define "pao.secretVolume" -}}
{{- if .existingSecret }}
- name: secrets
  secret:
    secretName: {{ .existingSecret }}
    defaultMode: 0440
    items:
      {{- range .names }}
      - {key: {{ . }}, path: {{ . }}}
      {{- end }}
{{- end }}
{{- end }}

{{- define "pao.secretMount" -}}
{{- if .existingSecret }}
- {name: secrets, mountPath: /secrets, readOnly: true}
{{- end }}
{{- end }}

{{/* As the profile "restricted" demands. */}}
{{- define "pao.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "pao.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "pao.spread" -}}
- maxSkew: 1
  topologyKey: topology.kubernetes.io/zone
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels: {{- include "pao.selector" . | nindent 6 }}
- maxSkew: 1
  topologyKey: kubernetes.io/hostname
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels: {{- include "pao.selector" . | nindent 6 }}
{{- end }}

{{/* Settings of one of the two: common ones, its own, and what the chart decides. */}}
{{- define "pao.settings" -}}
{{- $decided := dict "PAO_BUILD_ID" (include "pao.buildId" .root) "PAO_PROMOTE" .root.Values.rollout.promote -}}
{{- if and .root.Values.ingress.enabled (not .root.Values.settings.PAO_PUBLIC_URL) }}{{ $_ := set $decided "PAO_PUBLIC_URL" (printf "https://%s" .root.Values.ingress.host) }}{{ end -}}
{{- if eq .component "api" }}{{ $_ := set $decided "PAO_REPLICAS" (.root.Values.api.replicas | toString) }}{{ end -}}
{{- if eq .component "worker" }}{{ with .root.Values.catalog.path }}{{ $_ := set $decided "CATALOG_PATH" . }}{{ end }}{{ end -}}
{{- toYaml (mergeOverwrite (dict) .root.Values.settings $decided .own) }}
{{- end }}

{{- define "pao.url" -}}
{{- .Values.test.url | default (ternary (printf "https://%s" .Values.ingress.host) (printf "http://%s-api:%d" (include "pao.fullname" .) (int .Values.service.port)) .Values.ingress.enabled) }}
{{- end }}
