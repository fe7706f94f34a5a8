// Package windowtest drives the shipped program in its real window, as a user sees it: typing, clicking, closing, killing
// and starting again.
//
// Its tests need a display and a built program, so they have the build tag window; build/scripts/window-test.sh runs them
// on a display of their own. WIDGETS_BINARY names the program. Start reading at window_test.go; program_test.go starts and
// ends the program, inspector_test.go talks to its web view, page_test.go finds and uses what is on the page.
package windowtest
