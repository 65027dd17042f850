// Loads a compose file as Docker does, and writes the resolved project as JSON.
package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: loader FILE [PROFILE...]")
		os.Exit(2)
	}
	options, err := cli.NewProjectOptions(
		[]string{os.Args[1]},
		cli.WithEnv(os.Environ()),
		cli.WithProfiles(os.Args[2:]),
		cli.WithConsistency(true),
		cli.WithResolvedPaths(true),
	)
	check(err)
	project, err := options.LoadProject(context.Background())
	check(err)
	written, err := project.MarshalJSON()
	check(err)
	fmt.Println(strings.TrimSpace(string(written)))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
