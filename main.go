// Command widgets is the desktop program of widgets.pro. It lies beside wails.json, where Wails looks for it; everything
// is in package app.
package main

import (
	"os"
	"time"

	"widgets.pro/app"
)

func main() {
	os.Exit(app.Run(app.Environment{Args: os.Args[1:], Getenv: os.Getenv, Now: time.Now, Stdout: os.Stdout, Stderr: os.Stderr}))
}
