// Call PAO with the AWS credentials of the environment: go run pao_call.go METHOD PATH [BODY]
package main

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

const action = "Action=GetCallerIdentity&Version=2011-06-15"

func main() {
	method, target, body := os.Args[1], os.Args[2], strings.Join(os.Args[3:], " ")
	service := strings.TrimRight(os.Getenv("PAO_URL"), "/")
	request, err := http.NewRequest(method, service+target, strings.NewReader(body))
	check(err)
	request.Header.Set("X-PAO-STS", proof(method, target, body, env("PAO_SERVER_ID", service)))
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	check(err)
	defer answer.Body.Close()
	_, err = io.Copy(os.Stdout, answer.Body)
	check(err)
}

// proof returns the value of X-PAO-STS for one call.
func proof(method, target, body, serverID string) string {
	region := env("PAO_REGION", "us-east-1")
	sts, err := url.Parse(env("PAO_STS_URL", "https://sts."+region+".amazonaws.com"))
	check(err)
	path, query, _ := strings.Cut(target, "?")
	random := make([]byte, 24)
	_, err = rand.Read(random)
	check(err)
	nonce, now := hex.EncodeToString(random), time.Now().UTC()
	date, day, token := now.Format("20060102T150405Z"), now.Format("20060102"), os.Getenv("AWS_SESSION_TOKEN")

	headers := [][2]string{
		{"accept", "application/json"},
		{"content-type", "application/x-www-form-urlencoded; charset=utf-8"},
		{"host", sts.Host},
		{"x-amz-date", date},
	}
	if token != "" {
		headers = append(headers, [2]string{"x-amz-security-token", token})
	}
	headers = append(headers,
		[2]string{"x-pao-nonce", nonce},
		[2]string{"x-pao-request-sha256", hash(strings.Join([]string{method, path, query, hash(body)}, "\n"))},
		[2]string{"x-pao-server-id", serverID},
	)
	var names []string
	canonical := "POST\n/\n\n"
	for _, header := range headers {
		names = append(names, header[0])
		canonical += header[0] + ":" + header[1] + "\n"
	}
	signed := strings.Join(names, ";")
	canonical += "\n" + signed + "\n" + hash(action)

	scope := strings.Join([]string{day, region, "sts", "aws4_request"}, "/")
	key := []byte("AWS4" + os.Getenv("AWS_SECRET_ACCESS_KEY"))
	for _, part := range strings.Split(scope, "/") {
		key = mac(key, part)
	}
	signature := mac(key, strings.Join([]string{"AWS4-HMAC-SHA256", date, scope, hash(canonical)}, "\n"))

	values := map[string]string{
		"authorization": fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%x",
			os.Getenv("AWS_ACCESS_KEY_ID"), scope, signed, signature),
		"date":  date,
		"nonce": nonce,
	}
	if token != "" {
		values["token"] = token
	}
	written, err := json.Marshal(values)
	check(err)
	return base64.RawURLEncoding.EncodeToString(written)
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func mac(key []byte, text string) []byte {
	made := hmac.New(sha256.New, key)
	made.Write([]byte(text))
	return made.Sum(nil)
}

func env(name, usual string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return usual
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
