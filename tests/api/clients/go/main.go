// Submits a request, with the client that oapi-codegen makes of PAO's document.
package main

import (
	"context"
	"fmt"
	"os"

	"pao.test/client/pao"
)

func main() {
	client, err := pao.NewClientWithResponses(os.Args[1])
	if err != nil {
		panic(err)
	}
	fields := map[string]any{"hostName": "orders.example.com", "address": "10.0.0.8"}
	submission := pao.Submission{CatalogItemId: "network-dns-record", Fields: &fields}
	answer, err := client.SubmitRequestWithResponse(context.Background(), nil, submission)
	if err != nil {
		panic(err)
	}
	if answer.JSON422 != nil {
		for _, detail := range answer.JSON422.Error.Details {
			fmt.Println(answer.JSON422.Error.Code, detail.Field, detail.Message)
		}
		return
	}
	tell(answer.JSON201)
}

func tell(request *pao.Request) {
	for _, action := range request.Actions {
		if action.ExternalReference != nil {
			fmt.Println(request.Status, *action.ExternalReference)
		}
	}
	if request.Status == pao.RequestStatusFailed && request.ErrorContext.SuggestedDecision != nil {
		fmt.Println(request.Error.Message, request.ErrorContext.SuggestedDecision.Decision)
	}
}
